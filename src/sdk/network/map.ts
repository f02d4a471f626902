import { systemClock } from '../../swarm/index.ts';
import { ShoalError } from '../errors.ts';
import { NO_MAP } from '../idle-state.ts';
import { Cell } from '../observable.ts';
import type { Platform } from '../platform.ts';
import type { Observable } from '../types.ts';
import { changed, type Parts, partsIn } from './map-change.ts';
import { ownSight, withOwn } from './map-merge.ts';
import { serverEvents } from './map-stream.ts';
import { shortId, type Told, told } from './map-told.ts';
import type { NetworkMap, NetworkSnapshot } from './types.ts';

/** Characters of one event: a state of 500 hosts and 2,000 links has about 250 KB. */
const MOST_CHARACTERS = 512 * 1024;
/** Until the relay answers. Milliseconds. */
const ANSWER_MS = 10_000;
/** The relay says something every 15 s; after more than two of them it is gone. Milliseconds. */
const SILENT_MS = 40_000;
/** Between failed attempts: the first pause, and the longest. Milliseconds. */
const RETRY_MS = 1_000;
const MOST_RETRY_MS = 15_000;
/** A relay that has too many watchers, or that drains, is asked now and then instead. Milliseconds. */
const ASK_AGAIN_MS = 5_000;
/** Ids remembered of one stream: those of a day of coming and going. */
const MOST_HEARD = 20_000;

/**
 * The relay's picture of the network, while somebody watches; what this tab sees by itself when the relay is gone, or
 * is not one of this tab's own.
 */
export function watchMap(
  platform: Pick<Platform, 'fetch'>,
  relay: URL,
  own: Observable<NetworkSnapshot>,
): Observable<NetworkMap> {
  return new MapWatch(platform, relay, own);
}

class MapWatch implements Observable<NetworkMap> {
  readonly #shown = new Cell<NetworkMap>(NO_MAP);
  #watchers = 0;
  #end = () => {};
  #state: Parts | null = null;
  #told: Told | null = null;
  /** Until it is known whether the relay tells anything, nothing is shown: the own sight would flash by. */
  #tried = false;
  readonly #heard = new Set<string>();

  constructor(
    private readonly platform: Pick<Platform, 'fetch'>,
    private readonly relay: URL,
    private readonly own: Observable<NetworkSnapshot>,
  ) {}

  get = (): NetworkMap => this.#shown.get();

  subscribe = (listener: (map: NetworkMap) => void): (() => void) => {
    const off = this.#shown.subscribe(listener);
    this.#watchers++;
    if (this.#watchers === 1) this.#begin();
    let subscribed = true;
    return () => {
      if (!subscribed) return;
      subscribed = false;
      off();
      this.#watchers--;
      if (this.#watchers === 0) this.#end();
    };
  };

  #begin(): void {
    const control = new AbortController();
    const off = this.own.subscribe(() => this.#show());
    this.#end = () => {
      control.abort();
      off();
      // Whoever watches next shall not see what is old by then.
      this.#forget();
      this.#tried = false;
      this.#shown.update(NO_MAP);
    };
    void this.#follow(control.signal);
  }

  /** Follows the relay until nobody watches any more. */
  async #follow(signal: AbortSignal): Promise<void> {
    let failed = 0;
    while (!signal.aborted) {
      let wait = ASK_AGAIN_MS;
      try {
        await this.#listen(signal, () => {
          failed = 0;
        });
        failed = 0;
      } catch {
        if (signal.aborted) return;
        // Once may be a relay that starts again: its picture stays until the next attempt.
        if (failed > 0 || !this.#told) this.#lose();
        wait = Math.min(MOST_RETRY_MS, RETRY_MS * 2 ** failed++);
      }
      // Not all tabs at once, when a relay comes back.
      await pause(wait * (0.75 + Math.random() / 2), signal);
    }
  }

  /**
   * Takes what the relay tells until the stream ends, which is an error; where it has no place for one more watcher,
   * takes its state once.
   */
  async #listen(signal: AbortSignal, heard: () => void): Promise<void> {
    const silence = new AbortController();
    const stop = AbortSignal.any([signal, silence.signal]);
    const quiet = () => silence.abort();
    let cancel = systemClock.after(ANSWER_MS, quiet);
    try {
      const response = await this.#fetch('v1/network/live', stop);
      if (response.status === 503) {
        await response.body?.cancel();
        return await this.#ask(stop);
      }
      if (!response.ok || !response.body) throw gone();
      this.#heard.clear();
      for await (const { event, data } of serverEvents(response.body, MOST_CHARACTERS)) {
        if (stop.aborted) break;
        cancel();
        cancel = systemClock.after(SILENT_MS, quiet);
        if (this.#take(event, data)) heard();
      }
      throw gone();
    } finally {
      cancel();
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const response = await this.#fetch('v1/network', signal);
    const length = Number(response.headers.get('Content-Length') ?? Number.NaN);
    if (!response.ok || !(length <= MOST_CHARACTERS)) {
      await response.body?.cancel();
      throw gone();
    }
    if (!this.#take('state', await response.text())) throw gone();
  }

  #fetch(path: string, signal: AbortSignal): Promise<Response> {
    return this.platform.fetch(new URL(path, this.relay), { signal, cache: 'no-store' });
  }

  /** @returns whether it was something to show */
  #take(event: string, data: string): boolean {
    const parts = event === 'state' || event === 'change' ? partsIn(data) : null;
    if (!parts) return false;
    if (event === 'state') this.#state = parts;
    else if (this.#state) this.#state = changed(this.#state, parts);
    else return false;
    this.#told = told(this.#state);
    this.#tried = true;
    for (const { id } of this.#told.peers) if (this.#heard.size < MOST_HEARD) this.#heard.add(id);
    this.#show();
    return true;
  }

  #lose(): void {
    this.#tried = true;
    this.#forget();
    this.#show();
  }

  #forget(): void {
    this.#state = null;
    this.#told = null;
    this.#heard.clear();
  }

  #show(): void {
    if (!this.#tried) return;
    const own = this.own.get();
    const now = Date.now();
    const told = this.#told;
    this.#shown.update(told && isOurs(told, own) ? withOwn(told, own, this.#heard, now) : ownSight(own, now));
  }
}

/**
 * A tab may have its models from one relay and be joined to another, by a multiaddr: then the first one's picture is of
 * a network that this tab is not in.
 */
function isOurs({ relay, peers }: Told, { relays }: NetworkSnapshot): boolean {
  if (relays.length === 0 || relay === null) return true;
  const told = new Set(peers.filter(({ kind }) => kind === 'relay').map(({ id }) => id));
  return relays.some((one) => told.has(shortId(one)));
}

function gone(): ShoalError {
  return new ShoalError('unreachable', 'The relay does not tell of the network now.');
}

/** Ends early when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = systemClock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
