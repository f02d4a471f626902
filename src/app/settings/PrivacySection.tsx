import { useState } from 'react';
import type { Route } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { PrivacyDialog } from '../happened/PrivacyDialog.tsx';
import { useObservable } from '../look/use-observable.ts';
import { SelectField } from '../side/fields.tsx';
import { useWords } from '../words/index.ts';
import { choicesOf } from './choices.ts';
import { Section } from './Section.tsx';
import { useChange } from './saved.tsx';

/** Where answers come from, and who could read what. */
export function PrivacySection() {
  const {
    settings: { privacy: words },
    happened: { note },
  } = useWords();
  const { shoal, settings } = useDoors();
  const { route, privacy, whileLoading, told } = useObservable(settings);
  const change = useChange();
  const [again, setAgain] = useState(false);
  const [how, setHow] = useState(false);

  const changeRoute = (route: Route) => {
    change({ route });
    // A page that began on the network alone has no model yet. A load that fails shows itself in the status.
    if (route !== 'network' && shoal.status.get().phase === 'idle') void shoal.load().catch(() => {});
  };
  return (
    <Section title={words.title} hint={words.localNote}>
      <SelectField
        label={words.route}
        value={route}
        choices={choicesOf(words.routes)}
        onChange={changeRoute}
      />
      <SelectField
        label={words.mode}
        value={privacy}
        choices={choicesOf(words.modes)}
        onChange={(privacy) => change({ privacy })}
      />
      <ul className="settings-points">
        <li>{note.private}</li>
        <li>{note.light}</li>
      </ul>
      <div className="settings-actions">
        <button type="button" className="plain" aria-haspopup="dialog" onClick={() => setHow(true)}>
          {words.how}
        </button>
      </div>
      <SelectField
        label={words.whileLoading}
        hint={words.whileLoadingHint}
        value={whileLoading}
        choices={choicesOf(words.whileLoadings)}
        onChange={(whileLoading) => change({ whileLoading })}
      />
      <div className="settings-actions">
        <button
          type="button"
          className="plain"
          disabled={told.length === 0}
          onClick={() => {
            change({ told: [] });
            setAgain(true);
          }}
        >
          {words.toldAgain}
        </button>
        <small role="status">{again && told.length === 0 ? words.toldAgainDone : words.toldAgainHint}</small>
      </div>
      {how && <PrivacyDialog onClose={() => setHow(false)} />}
    </Section>
  );
}
