import type { ByteSource } from '../model/index.ts';
import { abortable } from './queue.ts';

/**
 * A whole model is fetched in this order: what every client needs, what a private client computes itself, the rest.
 * So nothing that the network route needs is fetched twice, whichever of the two begins.
 */
export type Wave = 'tokenizer' | 'own' | 'rest';
const ORDER: readonly Wave[] = ['tokenizer', 'own', 'rest'];

/**
 * Milliseconds that a download waits at most once it has come to what it stands back from: a network that is silent so
 * long with everything here that it needs is not waited for.
 */
const MOST_STANDING_MS = 20_000;
/**
 * Bytes of one read of a download that may have to stand back: a read that has begun is not cut off, and two of these
 * take 3 s at 10 Mbit/s.
 */
const PIECE = 2 * 1024 * 1024;

interface Hold {
  upTo: Wave;
  callOff: () => void;
  /** Runs from when somebody waits. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

interface Arrival {
  promise: Promise<void>;
  resolve: () => void;
}

/** What the downloads of one tab know of each other. */
export class Downloads {
  /** Waves of whole models that are being fetched, by cid. */
  readonly #whole = new Map<string, Map<Wave, Arrival>>();
  /** Fetches of parts of a model, by cid. */
  readonly #parts = new Map<string, Set<Promise<unknown>>>();
  readonly #holds = new Set<Hold>();
  #changed = arrival();

  /**
   * Whole models stand back: they are fetched up to that wave and no further, until this is called off or too long.
   * @returns a function that calls it off
   */
  standBack(upTo: Wave): () => void {
    const callOff = () => {
      clearTimeout(hold.timer);
      if (!this.#holds.delete(hold)) return;
      this.#changed.resolve();
      this.#changed = arrival();
    };
    const hold: Hold = { upTo, callOff, timer: undefined };
    this.#holds.add(hold);
    return callOff;
  }

  /** Whether a whole model may fetch something of that wave now. */
  mayFetch(wave: Wave): boolean {
    const holds = [...this.#holds];
    return holds.length === 0 || holds.some(({ upTo }) => ORDER.indexOf(wave) <= ORDER.indexOf(upTo));
  }

  /** Waits until a whole model may fetch something of that wave. @throws ShoalError `aborted` */
  async turn(wave: Wave, signal: AbortSignal): Promise<void> {
    while (!this.mayFetch(wave)) {
      for (const hold of this.#holds) hold.timer ??= setTimeout(hold.callOff, MOST_STANDING_MS);
      await abortable(this.#changed.promise, signal);
    }
  }

  /** The source, whose reads wait for their turn. */
  patient(source: ByteSource, wave: Wave, signal: AbortSignal): ByteSource {
    return {
      name: source.name,
      size: source.size,
      read: async (offset, length, stop) => {
        const data = new Uint8Array(length);
        for (let at = 0; at < length; at += PIECE) {
          await this.turn(wave, stop ?? signal);
          data.set(await source.read(offset + at, Math.min(PIECE, length - at), stop), at);
        }
        return data;
      },
    };
  }

  /** Fetches a part of a model, after those waves of the whole that are under way and hold it. */
  async part<T>(
    cid: string,
    needs: Exclude<Wave, 'rest'>,
    signal: AbortSignal,
    fetch: () => Promise<T>,
  ): Promise<T> {
    const wave = this.#whole.get(cid)?.get(needs);
    if (wave) await abortable(wave.promise, signal);
    const jobs = this.#parts.get(cid) ?? new Set();
    this.#parts.set(cid, jobs);
    const job = fetch();
    jobs.add(job);
    try {
      return await job;
    } finally {
      jobs.delete(job);
    }
  }

  /**
   * Fetches a whole model, after the parts of it that are under way.
   * @param fetch told how to say that a wave is here
   */
  async whole<T>(
    cid: string,
    signal: AbortSignal,
    fetch: (arrived: (wave: Wave) => void) => Promise<T>,
  ): Promise<T> {
    for (let jobs = this.#parts.get(cid); jobs && jobs.size > 0; )
      await abortable(Promise.allSettled(jobs), signal);
    const waves = new Map(ORDER.map((wave) => [wave, arrival()]));
    this.#whole.set(cid, waves);
    try {
      return await fetch((wave) => waves.get(wave)!.resolve());
    } finally {
      if (this.#whole.get(cid) === waves) this.#whole.delete(cid);
      // Whoever waited for it fetches for itself, if it came to nothing.
      for (const { resolve } of waves.values()) resolve();
    }
  }
}

function arrival(): Arrival {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
