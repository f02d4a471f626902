import { useMemo } from 'react';
import { CopyButton } from './CopyButton.tsx';
import { blocksOf } from './rich-text.ts';

/** An answer as paragraphs and code blocks; every piece of it is a text node. */
export function RichText({ text }: { text: string }) {
  const blocks = useMemo(() => blocksOf(text), [text]);
  return blocks.map((block, i) => {
    // Blocks only ever grow at the end, so their place is their identity.
    const key = `${block.kind}${i}`;
    if (block.kind === 'text') return <p key={key}>{block.text}</p>;
    return (
      <figure className="code" key={key}>
        <figcaption>
          <span>{block.language || 'code'}</span>
          <CopyButton text={block.text} label="Copy code" />
        </figcaption>
        <pre>
          <code>{block.text}</code>
        </pre>
      </figure>
    );
  });
}
