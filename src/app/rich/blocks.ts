import {
  MOST_BLOCK_CHARACTERS,
  MOST_BLOCK_SIGNS,
  MOST_BLOCKS,
  MOST_CHARACTERS,
  MOST_NESTED,
  MOST_SIGNS,
} from './caps.ts';
import {
  type Brackets,
  closesFence,
  type Fence,
  fenceOf,
  formulaEnd,
  formulaOf,
  isHeading,
  isItem,
  nestingOf,
  signsOf,
} from './lines.ts';

/**
 * A stretch of an answer that means the same alone as among the others. `source` is its text to the character.
 * `plain` is beyond a cap, and shown as it came.
 */
export type Block =
  | { kind: 'text' | 'plain'; source: string }
  | { kind: 'code'; source: string; code: string; language: string; closed: boolean }
  | { kind: 'formula'; source: string; tex: string; closed: boolean };

/** Where the scan is, at the beginning of a line. */
interface State {
  /** Where the block under way begins. */
  from: number;
  /** Where its next line begins. */
  at: number;
  within: 'nothing' | 'text' | 'code' | 'formula' | 'rest';
  /** A list is in the text: an empty line does not end it. */
  list: boolean;
  /** The line before was empty. */
  blank: boolean;
  /** Beyond the cap of what may be nested. */
  deep: boolean;
  fence: Fence | null;
  brackets: Brackets | null;
  /** Where code or formula begin. */
  inside: number;
  signs: number;
  /** Of the blocks before. */
  allSigns: number;
  count: number;
}

const START: State = {
  ...{ from: 0, at: 0, within: 'nothing', list: false, blank: false, deep: false, fence: null },
  ...{ brackets: null, inside: 0, signs: 0, allSigns: 0, count: 0 },
};

/**
 * Cuts an answer into blocks while it grows: each finished line is looked at once, and a finished block stays the same
 * object. It cuts only where Markdown ends every quote, list and paragraph; where that is not sure, it does not cut.
 */
export class Splitter {
  #text = '';
  #done: Block[] = [];
  #state: State = { ...START };

  /** @param text the whole answer so far; one that does not begin as the one before starts anew */
  update(text: string): readonly Block[] {
    if (!text.startsWith(this.#text)) {
      this.#done = [];
      this.#state = { ...START };
    }
    this.#text = text;
    const state = this.#state;
    while (state.within !== 'rest') {
      const end = text.indexOf('\n', state.at);
      if (end < 0) break;
      takeLine(text, state, end + 1, this.#done);
    }
    // The line that is still being written may change what the block is: it is tried on a copy.
    const tail: Block[] = [];
    const tried = { ...state };
    if (tried.within !== 'rest' && tried.at < text.length) takeLine(text, tried, text.length, tail);
    if (tried.from < text.length) finish(text, tried, text.length, tail);
    return tail.length === 0 ? this.#done.slice() : [...this.#done, ...tail];
  }
}

/** Blocks of a text that is whole. */
export function blocksOf(text: string): readonly Block[] {
  return new Splitter().update(text);
}

/** @param next where the line after this one begins, or the end of the text */
function takeLine(text: string, state: State, next: number, out: Block[]): void {
  const end = text[next - 1] === '\n' ? next - 1 : next;
  const line = text.slice(state.at, end);
  if (state.within === 'code') takeCode(text, state, line, next, out);
  else if (state.within === 'formula') takeFormula(text, state, line, next, out);
  else takeText(text, state, line, next, out);
  state.at = next;
}

function takeText(text: string, state: State, line: string, next: number, out: Block[]): void {
  if (line.trim() === '') {
    state.blank = true;
    return;
  }
  const { at } = state;
  const indented = line[0] === ' ' || line[0] === '\t';
  const item = isItem(line);
  const fence = fenceOf(line);
  const formula = fence ? null : formulaOf(line);
  const signs = signsOf(line);
  // What is indented below a list may be a part of it.
  const own = (fence !== null || formula !== null) && !(state.list && indented);
  const parted = state.blank && !indented && !(state.list && item);
  const full = at - state.from > MOST_BLOCK_CHARACTERS || state.signs + signs > MOST_BLOCK_SIGNS;
  if (state.within === 'text' && (own || parted || full || isHeading(line))) finish(text, state, at, out);
  state.blank = false;
  if (overflows(state, next)) {
    state.within = 'rest';
    return;
  }
  if (own) begin(state, fence, formula?.brackets ?? null, next);
  else state.within = 'text';
  state.list ||= item;
  state.signs += signs;
  state.deep ||= nestingOf(line) > MOST_NESTED;
  if (formula && own && formula.tex !== null) closeFormula(text, state, formula.tex, next, out);
}

function begin(state: State, fence: Fence | null, brackets: Brackets | null, next: number): void {
  state.within = fence ? 'code' : 'formula';
  state.fence = fence;
  state.brackets = brackets;
  state.inside = fence ? next : state.at;
}

function takeCode(text: string, state: State, line: string, next: number, out: Block[]): void {
  if (closesFence(line, state.fence!)) {
    const code = codeWithin(text, state, state.at);
    const { language } = state.fence!;
    push(state, { kind: 'code', source: text.slice(state.from, next), code, language, closed: true }, out);
    reset(state, next);
  } else if (overflows(state, next)) {
    finish(text, state, state.at, out);
    state.within = 'rest';
  }
}

function takeFormula(text: string, state: State, line: string, next: number, out: Block[]): void {
  const last = formulaEnd(line, state.brackets!);
  if (last !== null) {
    closeFormula(text, state, `${openFormula(text, state, state.at)}${last}`, next, out);
  } else if (line.trim() === '' || fenceOf(line)) {
    // TeX has no empty lines in a formula: it was a sentence that begins like one.
    state.within = 'text';
    takeText(text, state, line, next, out);
  } else {
    state.signs += signsOf(line);
  }
}

function closeFormula(text: string, state: State, tex: string, next: number, out: Block[]): void {
  push(state, { kind: 'formula', source: text.slice(state.from, next), tex, closed: true }, out);
  reset(state, next);
}

/** The block under way ends here, finished or not. */
function finish(text: string, state: State, end: number, out: Block[]): void {
  const source = text.slice(state.from, end);
  if (state.within === 'code') {
    const code = codeWithin(text, state, end);
    push(state, { kind: 'code', source, code, language: state.fence!.language, closed: false }, out);
  } else if (state.within === 'formula') {
    push(state, { kind: 'formula', source, tex: openFormula(text, state, end), closed: false }, out);
  } else {
    const plain = state.within === 'rest' || state.deep || state.signs > MOST_BLOCK_SIGNS;
    const long = source.length > 2 * MOST_BLOCK_CHARACTERS;
    push(state, { kind: plain || long ? 'plain' : 'text', source }, out);
  }
  reset(state, end);
}

function push(state: State, block: Block, out: Block[]): void {
  out.push(block);
  state.count++;
  // Code is not parsed.
  if (block.kind !== 'code') state.allSigns += state.signs;
}

function reset(state: State, from: number): void {
  const { at, allSigns, count } = state;
  Object.assign(state, START, { from, at, allSigns, count });
}

/** Beyond what is formatted of one answer. */
function overflows(state: State, next: number): boolean {
  return next > MOST_CHARACTERS || state.allSigns > MOST_SIGNS || state.count >= MOST_BLOCKS;
}

function codeWithin(text: string, { inside, fence }: State, end: number): string {
  const code = text.slice(Math.min(inside, end), end).replace(/\n$/, '');
  const indent = fence!.indent;
  return indent === 0 ? code : code.replace(new RegExp(`^ {1,${indent}}`, 'gm'), '');
}

function openFormula(text: string, { inside, brackets }: State, end: number): string {
  return text.slice(inside, end).trimStart().slice(brackets!.length);
}
