import { MOST_COLOURED } from './caps.ts';

/** A stretch of code and the classes of its colour. */
export interface Piece {
  text: string;
  className: string;
}

/**
 * Milliseconds. Grammars are regular expressions, and code can be made for which some take the square of its length:
 * they run in a worker, which is ended then.
 */
const LONGEST_MS = 3_000;
/** Milliseconds without work after which the worker's memory is given back. */
const IDLE_MS = 30_000;

let worker: Worker | null = null;
let last: Promise<unknown> = Promise.resolve();
let idle: ReturnType<typeof setTimeout> | undefined;

/** Code in pieces of one colour each, one after the other. Null for a language that is not known, and for too much. */
export function piecesOf(code: string, language: string): Promise<Piece[] | null> {
  if (code.length > MOST_COLOURED || language === '') return Promise.resolve(null);
  const found = last.then(() => ask(code, language.toLowerCase()));
  last = found;
  return found;
}

function ask(code: string, language: string): Promise<Piece[] | null> {
  clearTimeout(idle);
  worker ??= new Worker(new URL('./colours.worker.ts', import.meta.url), { type: 'module' });
  const asked = worker;
  return new Promise((resolve) => {
    const answer = (pieces: Piece[] | null, alive: boolean) => {
      clearTimeout(late);
      asked.onmessage = null;
      if (alive) idle = setTimeout(end, IDLE_MS);
      else end();
      resolve(pieces);
    };
    const late = setTimeout(() => answer(null, false), LONGEST_MS);
    asked.onmessage = ({ data }: MessageEvent<Piece[] | null>) => answer(data, true);
    // Its code did not arrive, offline for one.
    asked.onerror = () => answer(null, false);
    asked.postMessage({ code, language });
  });
}

function end(): void {
  worker?.terminate();
  worker = null;
}
