import type { Block } from './blocks.ts';
import { MOST_DEFINITIONS } from './caps.ts';

const DEFINITION = /^ {0,3}\[[^\]\n]{1,100}\]:[ \t]*\S+[^\n]*$/;

/** Lines like `[1]: https://…`, which say where links elsewhere in the answer lead. */
export function isDefinitions({ kind, source }: Block): boolean {
  if (kind !== 'text' || !/^ {0,3}\[/.test(source)) return false;
  return source
    .trim()
    .split('\n')
    .every((line) => DEFINITION.test(line));
}

/** All of them. One that is still being written is not taken: it would change everything at every token. */
export function definitionsOf(blocks: readonly Block[], growing: boolean): string {
  let found = '';
  for (const [i, block] of blocks.entries()) {
    if ((growing && i === blocks.length - 1) || !isDefinitions(block)) continue;
    if (found.length + block.source.length > MOST_DEFINITIONS) break;
    found += `${block.source.trim()}\n`;
  }
  return found;
}
