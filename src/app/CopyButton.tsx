import { useEffect, useState } from 'react';

/** Milliseconds that "Copied" stays: long enough to be read. */
const SHOWN_MS = 1600;

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [outcome, setOutcome] = useState<'Copied' | 'Not allowed' | null>(null);
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async () => {
    try {
      // There is no clipboard at all on a page served without TLS.
      await navigator.clipboard.writeText(text);
      setOutcome('Copied');
    } catch {
      setOutcome('Not allowed');
    }
  };
  return (
    <button type="button" className="quiet" aria-label={outcome ?? label} onClick={copy}>
      {outcome ?? 'Copy'}
    </button>
  );
}
