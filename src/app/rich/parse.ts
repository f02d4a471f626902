import type { ReactElement } from 'react';
import parseMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import type {} from 'remark-parse';
import type { Processor } from 'unified';
import { mathsSyntax, mathsToTree } from './maths-syntax.ts';
import { tidy } from './tidy.ts';

/**
 * Raw HTML is text. A line of dashes below a paragraph is a rule and no heading, which it would be while a list is
 * being written; footnotes need the whole answer and stay as they are written.
 */
const OFF = ['htmlFlow', 'htmlText', 'setextUnderline', 'gfmFootnoteDefinition', 'gfmFootnoteCall'];

const REMARK = [[remarkGfm, { singleTilde: false }], ours] as const;

function ours(this: Processor): void {
  const data = this.data();
  data.micromarkExtensions = [
    ...(data.micromarkExtensions ?? []),
    mathsSyntax(),
    { disable: { null: [...OFF, 'gfmPotentialFootnoteCall'] } },
  ];
  data.fromMarkdownExtensions = [...(data.fromMarkdownExtensions ?? []), mathsToTree()];
}

/** Elements of one block. @throws TooMuch, and whatever the parser throws at nonsense */
export function parse(source: string, components: Components): ReactElement {
  return parseMarkdown({
    children: source,
    remarkPlugins: REMARK.map((plugin) => plugin as never),
    rehypePlugins: [tidy],
    // Addresses were seen to by `tidy`.
    urlTransform: (address) => address,
    components,
  });
}
