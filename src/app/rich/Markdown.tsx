import { Component, memo, type ReactNode, useMemo, useRef } from 'react';
import { type Block, Splitter } from './blocks.ts';
import { Code } from './Code.tsx';
import { clean } from './clean.ts';
import { definitionsOf, isDefinitions } from './definitions.ts';
import { Formula } from './Formula.tsx';
import { useLate } from './late.ts';
import { headingLevels } from './levels.ts';
import { Plain } from './Plain.tsx';
import { parsed } from './parts.ts';
import './rich.css';

interface Props {
  text: string;
  /** It is still being written. */
  streaming: boolean;
}

/**
 * An answer as a person reads it. It is cut into blocks as it grows, and only the last one is made anew; until the
 * parser is here, its paragraphs are plain. Nothing in it runs, loads or leaves the page.
 */
export const Markdown = memo(function Markdown({ text, streaming }: Props) {
  return (
    <AsItCame text={text}>
      <Blocks text={text} streaming={streaming} />
    </AsItCame>
  );
});

function Blocks({ text, streaming }: Props) {
  const splitter = useRef<Splitter>(null);
  splitter.current ??= new Splitter();
  const blocks = splitter.current.update(clean(text));
  const definitions = useMemo(() => definitionsOf(blocks, streaming), [blocks, streaming]);
  const levels = headingLevels(blocks);
  return (
    <div className="rich">
      {blocks.map((block, i) => (
        <OneBlock
          // Blocks only ever grow at the end, so their place is their identity.
          key={`${block.kind}${i}`}
          block={block}
          definitions={definitions}
          growing={streaming && i === blocks.length - 1}
          level={levels[i]!}
        />
      ))}
    </div>
  );
}

interface BlockProps {
  block: Block;
  definitions: string;
  growing: boolean;
  level: number;
}

const OneBlock = memo(function OneBlock({ block, definitions, growing, level }: BlockProps) {
  const Parsed = useLate(parsed);
  if (block.kind === 'code') {
    const code = growing ? withoutHalfFence(block.code) : block.code;
    return <Code code={code} language={block.language} closed={block.closed || !growing} />;
  }
  if (block.kind === 'formula' && (block.closed || growing)) {
    return <Formula tex={block.tex} display={true} closed={block.closed} />;
  }
  if (block.source.trim() === '') return null;
  if (block.kind === 'plain' || !Parsed) return <Plain text={block.source} />;
  if (isDefinitions(block)) return null;
  return (
    <div className="rich-text">
      <Parsed source={block.source} definitions={definitions} growing={growing} level={level} />
    </div>
  );
}, sameBlock);

function sameBlock(before: BlockProps, now: BlockProps): boolean {
  return (
    before.block.source === now.block.source &&
    before.block.kind === now.block.kind &&
    before.growing === now.growing &&
    before.level === now.level &&
    before.definitions === now.definitions
  );
}

/** Code whose closing marks are half written. */
function withoutHalfFence(code: string): string {
  return code.replace(/\n? {0,3}(?:`{1,3}|~{1,3})$/, '');
}

/** An answer that cannot be shown as Markdown, for whatever reason, is shown as text. */
class AsItCame extends Component<{ text: string; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    const { text, children } = this.props;
    return this.state.failed ? <Plain text={text} /> : children;
  }
}
