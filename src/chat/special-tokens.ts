/** A token that is found in text before anything is merged. */
export interface AddedToken {
  id: number;
  content: string;
  /** A control token: found only when the caller asks for special tokens. Others are found in any text. */
  special: boolean;
  /** White space to its left, or right, belongs to it. */
  lstrip?: boolean;
  rstrip?: boolean;
}

/** A stretch of plain text, or the id of an added token. */
export type Section = string | number;

/**
 * U+FDD0, a noncharacter that no text has a use for. Before a character it says "not the beginning of a special token";
 * between the characters of something that looks like one it keeps it from being found. It is taken out again
 * before merging.
 */
export const LITERAL = '\uFDD0';

/** Finds added tokens in text: longest first, and among those from left to right, as llama.cpp does. */
export class SpecialTokens {
  readonly #byLength: readonly AddedToken[];

  constructor(tokens: readonly AddedToken[]) {
    this.#byLength = tokens
      .filter((token) => token.content !== '')
      .sort((a, b) => b.content.length - a.content.length || a.id - b.id);
  }

  /** Cuts text at added tokens; at control tokens only when `special`. */
  split(text: string, special: boolean): Section[] {
    let sections: Section[] = text === '' ? [] : [text];
    for (const token of this.#byLength) {
      if (token.special && !special) continue;
      if (!text.includes(token.content)) continue;
      sections = sections.flatMap((section) =>
        typeof section === 'string' ? cut(section, token) : [section],
      );
    }
    return sections;
  }

  /** Text in which nothing will be found as a control token; `LITERAL` in the text itself is dropped. */
  protect(text: string): string {
    let safe = text.replaceAll(LITERAL, '');
    for (const token of this.#byLength) {
      if (!token.special || !safe.includes(token.content)) continue;
      const apart = Array.from(token.content, (character) => LITERAL + character).join('');
      safe = safe.replaceAll(token.content, apart);
    }
    return safe;
  }
}

function cut(text: string, token: AddedToken): Section[] {
  const sections: Section[] = [];
  let start = 0;
  for (let search = 0; ; ) {
    const at = text.indexOf(token.content, search);
    if (at < 0) break;
    search = at + token.content.length;
    if (at > 0 && text[at - 1] === LITERAL) continue;
    let before = text.slice(start, at);
    if (token.lstrip) before = before.trimEnd();
    if (before !== '') sections.push(before);
    sections.push(token.id);
    start = search;
    if (token.rstrip) start = text.length - text.slice(start).trimStart().length;
    search = start;
  }
  if (start < text.length) sections.push(text.slice(start));
  return sections;
}
