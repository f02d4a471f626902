import { useEffect, useState } from 'react';
import { useWords } from '../words/index.ts';

/** Milliseconds that "Copied" stays: long enough to be read. */
const SHOWN_MS = 1600;

export function CopyButton({ text, label }: { text: string; label: string }) {
  const { look } = useWords();
  const [outcome, setOutcome] = useState<'copied' | 'notAllowed' | null>(null);
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async () => {
    try {
      // There is no clipboard at all on a page served without TLS.
      await navigator.clipboard.writeText(text);
      setOutcome('copied');
    } catch {
      setOutcome('notAllowed');
    }
  };
  return (
    <button type="button" className="quiet" aria-label={outcome ? look[outcome] : label} onClick={copy}>
      {look[outcome ?? 'copy']}
    </button>
  );
}
