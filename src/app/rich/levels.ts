import type { Block } from './blocks.ts';

/** The page's own title. */
const ABOVE = 1;

/**
 * For each block, the level of a heading in it. An answer may begin with `###`, and leave levels out; for a screen
 * reader the first heading is one below the page's, and none is more than one below the heading before it.
 */
export function headingLevels(blocks: readonly Block[]): number[] {
  let base: number | null = null;
  let shown = ABOVE;
  return blocks.map((block) => {
    const marks = block.kind === 'text' ? /^\s*(#{1,6})(?=\s|$)/.exec(block.source)?.[1]?.length : undefined;
    if (marks !== undefined) {
      base ??= marks;
      shown = Math.min(6, Math.max(ABOVE + 1, Math.min(shown + 1, ABOVE + 1 + marks - base)));
    }
    return Math.max(ABOVE + 1, shown);
  });
}
