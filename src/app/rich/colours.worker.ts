import type { ElementContent, RootContent } from 'hast';
import { common, createLowlight } from 'lowlight';
import { MOST_COLOURED_PIECES } from './caps.ts';
import type { Piece } from './colours.ts';

const lowlight = createLowlight(common);

/** Code in pieces of one colour each. Null for a language that is not known, and for too many of them. */
function piecesOf(code: string, language: string): Piece[] | null {
  if (!lowlight.registered(language)) return null;
  const pieces: Piece[] = [];
  const walk = (nodes: readonly (RootContent | ElementContent)[], className: string): void => {
    for (const node of nodes) {
      if (node.type === 'text') pieces.push({ text: node.value, className });
      else if (node.type === 'element') walk(node.children, classOf(node.properties.className) ?? className);
    }
  };
  walk(lowlight.highlight(language, code, { prefix: 'rich-' }).children, '');
  return pieces.length > MOST_COLOURED_PIECES ? null : pieces;
}

function classOf(names: unknown): string | null {
  return Array.isArray(names) ? names.join(' ') : null;
}

addEventListener('message', ({ data }: MessageEvent<{ code: string; language: string }>) => {
  let pieces: Piece[] | null = null;
  try {
    pieces = piecesOf(data.code, data.language);
  } catch {
    // Code that a grammar cannot take stays without colours.
  }
  postMessage(pieces);
});
