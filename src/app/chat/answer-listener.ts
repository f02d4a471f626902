import { SentenceReader, type Spoken } from './sentences.ts';
import type { ThreadMessage, ThreadState } from './types.ts';
import type { chatWords } from './words.ts';

type Words = (typeof chatWords)['spoken'];

/** Whether more of it is to come. */
export function isRunning({ state }: Pick<ThreadMessage, 'state'>): boolean {
  return state === 'waiting' || state === 'streaming';
}

/** Follows the answer that grows, and gives what is to be said of it. What was there before is not said again. */
export class AnswerListener {
  #reader: SentenceReader | null = null;
  #first = true;
  #seen: { id: string; length: number };

  constructor({ messages }: Pick<ThreadState, 'messages'>) {
    this.#seen = lengthOf(messages.at(-1));
  }

  hear({ messages }: Pick<ThreadState, 'messages'>, words: Words): string[] {
    const last = messages.at(-1);
    const seen = this.#seen;
    this.#seen = lengthOf(last);
    if (last?.id !== seen.id) this.#reader = null;
    if (last?.role !== 'assistant') return [];
    const running = isRunning(last);
    if (!this.#reader) {
      if (!running) return [];
      // An answer that is continued goes on where it was left.
      this.#reader = new SentenceReader(last.id === seen.id ? seen.length : 0);
      this.#first = true;
    }
    const said = this.#reader.read(last.content, !running).map((one) => spoken(one, words));
    // The last words of one that failed are its error's, which is an alert of its own.
    if (!running && last.state === 'stopped') said.push(words.stopped);
    if (!running) this.#reader = null;
    if (this.#first && said[0] !== undefined) {
      said[0] = words.answer(said[0]);
      this.#first = false;
    }
    return said;
  }
}

function lengthOf(message: ThreadMessage | undefined): { id: string; length: number } {
  return { id: message?.id ?? '', length: message?.content.length ?? 0 };
}

function spoken(one: Spoken, words: Words): string {
  if (one.kind === 'text') return one.text;
  return one.kind === 'code' ? words.code(one.lines) : words.formula;
}
