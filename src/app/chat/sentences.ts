/** What a screen reader is to say next: words, or a block of code or maths that is only named. */
export type Spoken = { kind: 'text'; text: string } | { kind: 'code'; lines: number } | { kind: 'formula' };

/** Characters after which a sentence without an end is cut at a blank: nobody waits a minute for a full stop. */
const LONGEST = 600;
/** A full stop, question or exclamation mark, with closing marks, before a blank; or one of East Asia, before anything. */
const SENTENCE_END = /[.!?…]+["'”’»)\]*_]*(?=\s)|[。！？]+[”’」』）]*/g;
/** What stands before a full stop without ending a sentence: a number of a list, a letter, a few abbreviations. */
const NO_END = /(?:^|\s)(?:\d{1,3}|[A-Za-z]|e\.g|i\.e|[MD]rs?|[Ss]t|vs|etc|approx)\.$/;

/**
 * Takes the text of an answer as it grows, and gives each sentence once, when it is complete. Every character is looked
 * at a bounded number of times, so that a long answer costs no more per word than a short one.
 */
export class SentenceReader {
  /** Characters of the text that were given or skipped. */
  #from: number;
  /** The marks that opened the code being read, null outside. */
  #fence: { marks: string; lines: number } | null = null;

  /** @param from characters that are not to be said: they were before */
  constructor(from = 0) {
    this.#from = from;
  }

  /** @param text all of the answer so far  @param done nothing follows */
  read(text: string, done: boolean): Spoken[] {
    const said: Spoken[] = [];
    while (this.#fence ? this.#readCode(text, done, said) : this.#readText(text, done, said));
    return said;
  }

  /** @returns whether there may be more */
  #readText(text: string, done: boolean, said: Spoken[]): boolean {
    // A window: a line without an end must not be searched whole for each of its pieces.
    const part = text.slice(this.#from, this.#from + 2 * LONGEST);
    const newline = part.indexOf('\n');
    const whole = newline >= 0 || (done && this.#from + part.length === text.length);
    const line = newline >= 0 ? part.slice(0, newline) : part;
    const fence = /^\s{0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence && (this.#from === 0 || text[this.#from - 1] === '\n')) {
      if (!whole && part.length < 2 * LONGEST) return false;
      this.#fence = { marks: fence, lines: 0 };
      this.#from += line.length + 1;
      return true;
    }
    const end = sentenceEnd(line);
    if (end === 0 && !whole) return false;
    this.#say(end > 0 ? line.slice(0, end) : line, said);
    this.#from += end > 0 ? end : line.length + 1;
    return this.#from < text.length;
  }

  #readCode(text: string, done: boolean, said: Spoken[]): boolean {
    const fence = this.#fence!;
    const newline = text.indexOf('\n', this.#from);
    if (newline < 0 && !done) return false;
    const line = text.slice(this.#from, newline < 0 ? text.length : newline);
    const closes = line.trim().startsWith(fence.marks);
    if (!closes && (newline >= 0 || line)) fence.lines++;
    if (closes || newline < 0) {
      said.push({ kind: 'code', lines: fence.lines });
      this.#fence = null;
    }
    this.#from = newline < 0 ? text.length : newline + 1;
    return this.#from < text.length;
  }

  #say(part: string, said: Spoken[]): void {
    const text = withoutMarks(part);
    if (text) said.push({ kind: 'text', text });
    else if (/^\s*\$\$/.test(part)) said.push({ kind: 'formula' });
  }
}

/** Where the first complete sentence of a line ends, 0 when none does. */
function sentenceEnd(line: string): number {
  for (const found of line.matchAll(SENTENCE_END)) {
    const end = found.index + found[0].length;
    if (end <= LONGEST && !NO_END.test(line.slice(Math.max(0, end - 12), end))) return end;
  }
  if (line.length <= LONGEST) return 0;
  const blank = line.lastIndexOf(' ', LONGEST);
  return blank > 0 ? blank : LONGEST;
}

/** Markdown as it is read aloud: without the marks, with the words of a link and without its address. */
function withoutMarks(part: string): string {
  if (/^\s*(?:\$\$.*|\|?[\s:|-]+\|[\s:|-]*|[-*_=]{3,}\s*)$/.test(part)) return '';
  return part
    .replace(/^\s*(?:#{1,6}\s+|>\s?|[-*+]\s+)+/, '')
    .replace(/!?\[([^\]\n]{0,300})\]\([^)\s]{0,2000}\)/g, '$1')
    .replace(/(\*\*|__|~~|`+)/g, '')
    .replace(/(^|[\s(])[*_](?=\S)|(?<=\S)[*_](?=$|[\s).,;:!?])/g, '$1')
    .replace(/\s*\|\s*/g, ', ')
    .replace(/^[,\s]+|[,\s]+$/g, '');
}
