import { Fragment, useEffect, useState } from 'react';
import { CopyButton } from '../look/CopyButton.tsx';
import { useWords } from '../words/index.ts';
import { type Piece, piecesOf } from './colours.ts';
import { partsOf } from './Plain.tsx';

interface Props {
  code: string;
  language: string;
  /** Its end is here. It gets colours then, for they may change with every letter before. */
  closed: boolean;
}

export function Code({ code, language, closed }: Props) {
  const { rich } = useWords();
  const pieces = usePieces(code, language, closed);
  return (
    <figure className="rich-code">
      <figcaption>
        <span>{language || rich.code}</span>
        <CopyButton text={code} label={rich.copyCode} />
      </figcaption>
      {/* biome-ignore lint/a11y/useSemanticElements: code is no set of form fields. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard. */}
      <div className="rich-scroll" role="group" aria-label={rich.codeIn(language)} tabIndex={0}>
        <pre>
          <code>{pieces ? <Coloured pieces={pieces} /> : <Lines code={code} />}</code>
        </pre>
      </div>
    </figure>
  );
}

function usePieces(code: string, language: string, closed: boolean): readonly Piece[] | null {
  const [found, setFound] = useState<{ code: string; pieces: Piece[] | null } | null>(null);
  useEffect(() => {
    if (!closed || language === '') return;
    let current = true;
    void piecesOf(code, language).then((pieces) => current && setFound({ code, pieces }));
    return () => {
      current = false;
    };
  }, [closed, code, language]);
  return found?.code === code ? found.pieces : null;
}

function Coloured({ pieces }: { pieces: readonly Piece[] }) {
  return pieces.map(({ text, className }, i) =>
    className ? (
      <span className={className} key={i}>
        {text}
      </span>
    ) : (
      <Fragment key={i}>{text}</Fragment>
    ),
  );
}

function Lines({ code }: { code: string }) {
  const parts = partsOf(code);
  if (parts.length === 1) return code;
  return parts.map((part, i) => (
    <span className="rich-lines" key={i}>
      {part}
    </span>
  ));
}
