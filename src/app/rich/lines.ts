import { MOST_NESTED } from './caps.ts';

export interface Fence {
  mark: '`' | '~';
  length: number;
  /** Columns before it, which are taken from the lines of the code as well. */
  indent: number;
  language: string;
}

const FENCE = /^( {0,3})(`{3,}|~{3,})[ \t]*(.*)$/;
/** Longest name of a language that is shown. */
const LONGEST_LANGUAGE = 24;

export function fenceOf(line: string): Fence | null {
  const found = FENCE.exec(line);
  if (!found) return null;
  const [, indent = '', marks = '', info = ''] = found;
  const mark = marks[0] as Fence['mark'];
  // A line of inline code may begin with three marks as well.
  if (mark === '`' && info.includes('`')) return null;
  const language = /^[\w+#.-]+/.exec(info)?.[0].slice(0, LONGEST_LANGUAGE) ?? '';
  return { mark, length: marks.length, indent: indent.length, language };
}

export function closesFence(line: string, { mark, length }: Fence): boolean {
  const found = FENCE.exec(line);
  return found !== null && found[2]![0] === mark && found[2]!.length >= length && found[3]!.trim() === '';
}

export type Brackets = '$$' | '\\[';

/** A line that begins a formula of its own; `tex` when it ends it as well. */
export function formulaOf(line: string): { brackets: Brackets; tex: string | null } | null {
  const found = /^ {0,3}(\$\$|\\\[)(.*)$/.exec(line);
  if (!found) return null;
  const brackets = found[1] as Brackets;
  const rest = found[2]!;
  const tex = formulaEnd(rest, brackets);
  if (tex !== null) return tex.trim() === '' ? null : { brackets, tex };
  // `$$x$$ is …` is a sentence.
  return rest.includes(brackets === '$$' ? '$$' : '\\]') ? null : { brackets, tex: null };
}

/** What stands before the closing brackets when the line ends with them; a full stop goes along. */
export function formulaEnd(line: string, brackets: Brackets): string | null {
  const found = (brackets === '$$' ? /^(.*)\$\$([.,;:]?)[ \t]*$/ : /^(.*)\\\]([.,;:]?)[ \t]*$/).exec(line);
  if (!found || found[1]!.endsWith('\\') || (brackets === '$$' && found[1]!.includes('$$'))) return null;
  return `${found[1]}${found[2]}`;
}

/** A list item, or a line that may yet become one while it is being written. */
export function isItem(line: string): boolean {
  return /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)/.test(line) || /^ {0,3}\d{1,9}$/.test(line);
}

export function isHeading(line: string): boolean {
  return /^#{1,6}(?:[ \t]|$)/.test(line);
}

/** Quotes and lists that the line opens in one another, counted no further than the cap. */
export function nestingOf(line: string): number {
  const mark = /[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))/y;
  let depth = 0;
  while (depth <= MOST_NESTED && mark.test(line)) depth++;
  return depth;
}

/** ASCII punctuation and the line end: signs that may mean something to the parser. */
export function signsOf(line: string): number {
  let signs = 1;
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if (code > 32 && code < 127 && !isLetterOrDigit(code)) signs++;
  }
  return signs;
}

function isLetterOrDigit(code: number): boolean {
  return (code > 47 && code < 58) || (code > 64 && code < 91) || (code > 96 && code < 123);
}
