import { isHeading, isItem } from './lines.ts';

/** Characters at the end that are looked at: a paragraph. */
const MOST_LOOKED_AT = 4_000;

/**
 * The last block of an answer that is still being written, as it will probably go on: what is open is closed, and half
 * a mark is left away, so that `**bol` is not seen as stars first and as bold letters after.
 */
export function closeOpen(source: string): string {
  const text = withoutBareMark(source);
  const start = lastRun(text);
  const run = text.slice(start);
  if (run.length > MOST_LOOKED_AT) return text;
  const table = closeTable(run);
  return text.slice(0, start) + (table ?? closeInline(run));
}

/** Without a last line that is only marks: they say nothing yet. */
function withoutBareMark(text: string): string {
  const at = text.lastIndexOf('\n') + 1;
  const line = text.slice(at);
  const bare = /^[ \t>]*(?:[-*+#_~`=]+|\d{1,9}[.)])?(?:[ \t]*\[[ xX]?)?[ \t]*$/.test(line);
  const number = at > 0 && /^[ \t]*\d{1,9}$/.test(line);
  return bare || number ? text.slice(0, at) : text;
}

/** Where the paragraph, item, heading or table at the end begins. */
function lastRun(text: string): number {
  let start = text.length;
  while (start > 0) {
    const before = text.lastIndexOf('\n', start - 2) + 1;
    const line = text.slice(before, start).replace(/\n$/, '');
    if (line.trim() === '') break;
    start = before;
    if (isItem(line.trimStart()) || isHeading(line) || line.trimStart().startsWith('>')) break;
  }
  return start;
}

/** A table whose second line, which makes it one, is not here yet. */
function closeTable(run: string): string | null {
  const [head = '', rule = '', ...rows] = run.split('\n');
  if (!head.startsWith('|') || rows.length > 0 || !/^[ \t|:-]*$/.test(rule)) return null;
  const columns =
    head
      .replace(/\\\|/g, '')
      .replace(/\|[ \t]*$/, '')
      .split('|').length - 1;
  if (columns < 1) return null;
  return `${head.trimEnd().replace(/\|?$/, '|')}\n|${'---|'.repeat(columns)}`;
}

function closeInline(run: string): string {
  const open: string[] = [];
  let i = 0;
  while (i < run.length) {
    const char = run[i]!;
    if (char === '\\') i += 2;
    else if (char === '`') {
      const marks = runAt(run, i);
      const close = endOfCode(run, i + marks.length, marks);
      if (close < 0) return closeCode(run, i, marks, open);
      i = close;
    } else if (char === '[') {
      const rest = halfLink(run, i);
      if (rest !== null) return `${closeInline(run.slice(0, i).replace(/!$/, '') + rest)}`;
      i++;
    } else if (char === '*' || char === '_' || char === '~') {
      const marks = runAt(run, i);
      meet(open, marks, run[i - 1], run[i + marks.length]);
      i += marks.length;
    } else i++;
  }
  if (open.length === 0) return run;
  // A mark that nothing follows yet has nothing to close.
  const bare = /(?:\*+|_+|~+)$/.exec(run);
  const text = run.trimEnd();
  if (
    bare &&
    open.length > 0 &&
    text.length === run.length &&
    open.at(-1) === bare[0].slice(-open.at(-1)!.length)
  ) {
    open.pop();
    return text.slice(0, -bare[0].length).trimEnd() + closers(open);
  }
  return text + closers(open);
}

function closers(open: readonly string[]): string {
  return open.toReversed().join('');
}

/** Marks of one kind in a row. */
function runAt(run: string, from: number): string {
  let to = from;
  while (run[to] === run[from]) to++;
  return run.slice(from, to);
}

/** @returns where the code ends that begins at `from`; -1 when it is open */
function endOfCode(run: string, from: number, marks: string): number {
  for (let i = run.indexOf('`', from); i >= 0; i = run.indexOf('`', i)) {
    const found = runAt(run, i);
    i += found.length;
    if (found.length === marks.length) return i;
  }
  return -1;
}

function closeCode(run: string, at: number, marks: string, open: readonly string[]): string {
  const code = run.slice(at + marks.length).replace(/`+$/, '');
  if (code.trim() === '') return run.slice(0, at).trimEnd() + closers(open);
  return run.slice(0, at) + marks + code + marks + closers(open);
}

/** Of `[words](http://…` that is not whole yet: the words. Null when it is whole, or no link. */
function halfLink(run: string, at: number): string | null {
  const found = /^\[([^[\]]*)\]\([^()\s]*$/.exec(run.slice(at));
  return found ? found[1]! : null;
}

/** Marks close what they opened, or open something. */
function meet(open: string[], marks: string, before: string | undefined, after: string | undefined): void {
  const mark = marks[0]!;
  const spaceBefore = before === undefined || /\s/.test(before);
  const spaceAfter = after === undefined || /\s/.test(after);
  let left = marks.length;
  if (!spaceBefore) {
    while (left > 0 && open.at(-1)?.[0] === mark && open.at(-1)!.length <= left) left -= open.pop()!.length;
  }
  const inWord = mark === '_' && before !== undefined && /[\p{L}\p{N}]/u.test(before);
  if (left === 0 || inWord || (spaceAfter && after !== undefined)) return;
  if (mark === '~') {
    if (left === 2) open.push('~~');
    return;
  }
  // `***` is both: the outer one first.
  if (left % 2 === 1) open.push(mark);
  for (let pairs = Math.min(2, Math.floor(left / 2)); pairs > 0; pairs--) open.push(mark + mark);
}
