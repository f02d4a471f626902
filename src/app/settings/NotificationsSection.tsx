import { useState } from 'react';
import { useDoors } from '../doors.ts';
import { Switch } from '../look/Switch.tsx';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { Section } from './Section.tsx';
import { useChange } from './saved.tsx';

/** Asked for here, where somebody wants them, and nowhere else. */
export function NotificationsSection() {
  const words = useWords().settings.notifications;
  const { settings, pwa } = useDoors();
  const { notify } = useObservable(settings);
  const change = useChange();
  const [refused, setRefused] = useState(false);
  if (!('Notification' in window)) {
    return (
      <Section title={words.title}>
        <p>{words.missing}</p>
      </Section>
    );
  }
  // Leave may have been taken back in the browser's settings.
  const allowed = Notification.permission === 'granted';
  const toggle = async (on: boolean) => {
    const given = !on || (await pwa.askToNotify());
    setRefused(!given);
    if (given) change({ notify: on });
  };
  return (
    <Section title={words.title}>
      <Switch label={words.label} checked={notify && allowed} onChange={(on) => void toggle(on)}>
        {words.hint}
      </Switch>
      <p role="status" className="settings-bad">
        {(refused || (notify && !allowed)) && words.refused}
      </p>
    </Section>
  );
}
