import { EngineError } from '../../src/engine/index.ts';
import {
  type Host,
  HostError,
  type HostStatus,
  type LentSlice,
  layersInWords,
} from '../../src/host/index.ts';
import type { Clock } from '../../src/swarm/index.ts';
import type { Log, Meters } from '../watch/types.ts';
import { reasonOf } from './errors.ts';
import { until } from './until.ts';

/** An engine that failed may have met a passing shortage of memory; one that fails for good must not keep the relay busy. */
const AGAIN_MS = 30_000;
const AGAIN_MOST_MS = 600_000;
/** A slice that lasted this long has not failed for the same reason again: waits begin anew. */
const STABLE_MS = 600_000;

export type LenderState = 'waiting' | 'loading' | 'lending' | 'failed' | 'ended';

export interface LenderOptions {
  host: Host;
  clock: Clock;
  slice: LentSlice;
  /** Of the model, for the log. */
  name: string;
  log: Log;
  meters?: Meters | undefined;
  /** In words, how much may be said at once. */
  room: () => string;
  /** It will not be lent again. */
  onEnd: () => void;
}

/** Keeps one slice lent: an engine that dies is loaded again, after growing waits. */
export class Lender {
  state: LenderState = 'loading';
  /** Resolves when it serves for the first time, or when the first attempt has failed. */
  readonly first: Promise<void>;
  #settleFirst: () => void = () => {};
  readonly #end = new AbortController();
  readonly slice: LentSlice;

  constructor(private readonly options: LenderOptions) {
    this.first = new Promise((resolve) => {
      this.#settleFirst = resolve;
    });
    this.slice = options.slice;
  }

  /** Lends until the signal says stop, or until it cannot be done. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#end.signal]);
    // It serves before its record is published, which may take long.
    const unsubscribe = this.options.host.subscribe((status) => {
      if (this.#isIn(status)) this.#settleFirst();
    });
    try {
      await this.#run(stop);
    } catch (error) {
      if (stop.aborted) this.state = 'ended';
      else this.#giveUp(error);
    } finally {
      unsubscribe();
      this.#settleFirst();
      this.options.onEnd();
    }
  }

  /** Loads nothing again; what is lent stays until the host drains it. */
  end(): void {
    this.#end.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { host, clock, name, log } = this.options;
    let failures = 0;
    let lent = false;
    while (!signal.aborted) {
      this.state = 'loading';
      const started = clock.now();
      try {
        await host.lend(this.slice, { signal });
        lent = true;
        this.state = 'lending';
        log.info(`Lending ${layersInWords(this.slice)} of ${name} to the network: ${this.options.room()}.`);
        await this.#gone(signal);
        this.#count('lost');
      } catch (error) {
        // What never worked and will not: said once. What worked before may work again.
        if (signal.aborted || !(lent || isPassing(error))) throw error;
        this.#count(error instanceof EngineError ? error.code : 'failed');
        log.debug(`Loading failed. ${reasonOf(error)}`);
      }
      if (clock.now() - started > STABLE_MS) failures = 0;
      const wait = Math.min(AGAIN_MOST_MS, AGAIN_MS * 2 ** failures++);
      this.state = 'waiting';
      this.#settleFirst();
      log.warn(
        `The engine of ${layersInWords(this.slice)} of ${name} failed. They are loaded again in ${inWords(wait)}.`,
      );
      await until(signal, (done) => clock.after(wait, done));
    }
  }

  /** Resolves when the host has it no more. */
  #gone(signal: AbortSignal): Promise<void> {
    const { host } = this.options;
    return until(signal, (done) => {
      const look = (status: HostStatus) => {
        if (!this.#isIn(status)) done();
      };
      look(host.status());
      return host.subscribe(look);
    });
  }

  #isIn({ slices }: HostStatus): boolean {
    const { cid, start, end } = this.slice;
    return slices.some((held) => held.cid === cid && held.start === start && held.end === end);
  }

  #giveUp(error: unknown): void {
    const { name, log } = this.options;
    this.state = 'failed';
    this.#count(error instanceof EngineError || error instanceof HostError ? error.code : 'failed');
    const reason = reasonOf(error).replace(/\.$/, '');
    const hint = isTooLarge(error) ? ' Lend fewer with --layers, or allow more with --memory.' : '';
    log.error(
      `${capital(layersInWords(this.slice))} of ${name} are not lent; the relay serves on. ${reason}.${hint}`,
    );
  }

  #count(code: string): void {
    this.options.meters?.count('shoal_errors_total', { room: 'hosting', code });
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof EngineError && (error.code === 'lost' || error.code === 'failed');
}

function isTooLarge(error: unknown): boolean {
  if (error instanceof HostError) return error.code === 'bad-slice';
  return error instanceof EngineError && error.code === 'out-of-memory';
}

function inWords(ms: number): string {
  if (ms < 60_000) return 'half a minute';
  const minutes = ms / 60_000;
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
