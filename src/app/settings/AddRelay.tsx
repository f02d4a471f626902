import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { useWords, type Words } from '../words/index.ts';
import { checkRelay, type RelayCheck } from './check-relay.ts';
import { MOST_RELAYS } from './settings.ts';

interface Props {
  known: readonly string[];
  onAdd: (relay: string) => void;
}

/** A relay's address, looked at before it is taken: a typing error would cost the whole network. */
export function AddRelay({ known, onAdd }: Props) {
  const words = useWords().settings.relays;
  const note = useId();
  const [text, setText] = useState('');
  const [outcome, setOutcome] = useState<RelayCheck | null>(null);
  const [checking, setChecking] = useState<AbortController | null>(null);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => () => checking?.abort(), [checking]);

  const add = (relay: string) => {
    onAdd(relay);
    setText('');
    box.current?.focus();
  };
  const check = async (event: FormEvent) => {
    event.preventDefault();
    const control = new AbortController();
    setChecking(control);
    setOutcome(null);
    const secure = location.protocol === 'https:';
    const found = await checkRelay(text, {
      known,
      secure,
      fetch: (...given) => fetch(...given),
      signal: control.signal,
    });
    if (control.signal.aborted) return;
    setChecking(null);
    setOutcome(found);
    if (found.kind === 'problem') box.current?.focus();
    else add(found.relay);
  };
  // A relay that is away for the moment may be there at the next visit.
  const absent =
    outcome?.kind === 'problem' && (outcome.problem === 'silent' || outcome.problem === 'no-relay')
      ? outcome.relay
      : null;
  return (
    <form className="settings-add" onSubmit={check}>
      <label>
        <span>{words.address}</span>
        <input
          ref={box}
          type="text"
          inputMode="url"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={text}
          aria-invalid={outcome?.kind === 'problem'}
          aria-describedby={note}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setOutcome(null);
          }}
        />
      </label>
      <small id={note}>{words.addressHint}</small>
      <div className="settings-actions">
        {checking ? (
          <button
            type="button"
            className="plain"
            onClick={() => {
              checking.abort();
              setChecking(null);
            }}
          >
            {words.cancel}
          </button>
        ) : (
          <button type="submit" className="plain" disabled={text.trim() === ''}>
            {words.add}
          </button>
        )}
        {absent !== null && (
          <button
            type="button"
            className="quiet"
            onClick={() => {
              setOutcome({ kind: 'unchecked', relay: absent });
              add(absent);
            }}
          >
            {words.addAnyway}
          </button>
        )}
      </div>
      <p role="status" className={outcome?.kind === 'problem' ? 'settings-bad' : 'hint'}>
        {checking ? words.checking : outcome ? told(outcome, words) : ''}
      </p>
    </form>
  );
}

function told(outcome: RelayCheck, words: Words['settings']['relays']): string {
  if (outcome.kind !== 'problem') {
    const { kind, relay } = outcome;
    return kind === 'unchecked' && relay.startsWith('/') ? words.unchecked(relay) : words.added(relay);
  }
  const { problem, relay } = outcome;
  const { problems } = words;
  if (problem === 'too-many') return problems[problem](MOST_RELAYS);
  if (problem === 'silent' || problem === 'no-relay') return problems[problem](relay ?? '');
  return problems[problem];
}
