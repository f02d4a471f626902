import { useLayoutEffect, useRef, useState } from 'react';
import { useWords } from '../words/index.ts';
import { useLate } from './late.ts';
import { formulas } from './parts.ts';

interface Props {
  tex: string;
  /** On a line of its own. */
  display: boolean;
  /** Its end is here: half a formula is shown as it is written. */
  closed: boolean;
}

/** A formula; its source while that cannot be drawn. */
export function Formula({ tex, display, closed }: Props) {
  const { rich } = useWords();
  // Asked for while it is still being written, so that it can be drawn when it ends.
  const katex = useLate(formulas);
  const box = useRef<HTMLSpanElement>(null);
  const [drawn, setDrawn] = useState<string | null>(null);
  useLayoutEffect(() => {
    if (katex && closed && box.current) setDrawn(katex.draw(tex, box.current, display) ? tex : null);
  }, [katex, closed, tex, display]);
  const ready = drawn === tex;
  const inner = (
    <>
      {!ready && <code className="rich-source">{tex.trim()}</code>}
      {/* Its children are KaTeX's, not React's. */}
      <span ref={box} className="rich-drawn" hidden={!ready} />
    </>
  );
  if (!display) return <span className="rich-formula">{inner}</span>;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a formula is no set of form fields.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard.
    <span className="rich-formula rich-display" role="group" aria-label={rich.formula} tabIndex={0}>
      {inner}
    </span>
  );
}
