import { useId, useState } from 'react';
import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { contextOf } from './context.ts';
import { estimateTokens } from './options.ts';

/** Characters of a system prompt: what a conversation keeps, and more than any context holds. */
const LONGEST = 1 << 20;
/** Share of the context above which hardly a conversation fits beside it. */
const TOO_LARGE = 0.5;

/** The system prompt, with what it takes of the context; each key is kept. */
export function SystemPrompt({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const { side } = useWords();
  const { shoal } = useDoors();
  const most = contextOf(useObservable(shoal.status));
  const [draft, setDraft] = useState(value);
  const note = useId();
  const tokens = estimateTokens(draft);
  const tooLong = most !== null && tokens > most * TOO_LARGE;
  return (
    <div className="side-field">
      <label>
        <span>{side.system}</span>
        <textarea
          rows={4}
          maxLength={LONGEST}
          value={draft}
          aria-describedby={note}
          onChange={(event) => {
            setDraft(event.currentTarget.value);
            onChange(event.currentTarget.value);
          }}
        />
      </label>
      <small id={note} className={tooLong ? 'side-field-bad' : undefined}>
        {side.systemHint}
        {tokens > 0 && ` ${most ? side.systemTokensOf(tokens, most) : side.systemTokens(tokens)}.`}
        {tooLong && ` ${side.systemTooLong}`}
      </small>
    </div>
  );
}
