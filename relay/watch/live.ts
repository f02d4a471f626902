import type { Clock } from '../../src/swarm/index.ts';
import type { Call } from '../http/types.ts';
import { StateChanges } from './live-changes.ts';
import type { Snapshots } from './snapshots.ts';

/** Watchers in all, and from one address: a class behind one router. */
export const MOST_WATCHERS = 256;
export const MOST_PER_ADDRESS = 64;
/** Proxies close what is silent, most of them after 30 s or a minute. Milliseconds. */
const KEEP_ALIVE_MS = 15_000;
/** Bytes that may wait for one watcher. A full state of 500 hosts and 2,000 links has about 250 KB. */
const MAX_WAITING = 512 * 1024;
/** When a browser comes back by itself. Milliseconds. */
const RETRY_MS = 3_000;

/**
 * Server-sent events: the whole state first (`event: state`), then once a second at most the parts that changed
 * (`event: change`, to be put over the state by `Object.assign`; see `StateChanges` for long lists).
 */
export class Live {
  readonly #watchers = new Map<Call, { sent: number }>();
  readonly #changed = new StateChanges();
  #begun = false;
  readonly #options: { snapshots: Snapshots; clock: Clock; draining: () => boolean };

  constructor(options: { snapshots: Snapshots; clock: Clock; draining: () => boolean }) {
    this.#options = options;
    this.#changes();
    options.snapshots.onTick(() => this.#tick());
  }

  /** @returns why not, when this watcher is one too many */
  attach(call: Call): 'full' | 'draining' | null {
    const { snapshots, clock, draining } = this.#options;
    if (draining()) return 'draining';
    const near = [...this.#watchers.keys()].filter(({ address }) => address === call.address).length;
    if (this.#watchers.size >= MOST_WATCHERS || near >= MOST_PER_ADDRESS) return 'full';
    const { response, signal } = call;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // nginx would collect the events until it has a page full.
      'X-Accel-Buffering': 'no',
    });
    if (call.request.method === 'HEAD') {
      response.end();
      return null;
    }
    this.#watchers.set(call, { sent: clock.now() });
    response.once('close', () => this.#watchers.delete(call));
    // A socket that breaks ends its watcher by the line above; without a listener it would end the relay.
    response.on('error', () => {});
    signal.addEventListener('abort', () => response.end(), { once: true });
    const json = snapshots.json()?.toString();
    response.write(`retry: ${RETRY_MS}\n\n${json ? event('state', json) : ''}`);
    return null;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Ends every watcher; a browser comes back by itself. */
  close(): void {
    for (const { response } of this.#watchers.keys()) response.end();
  }

  #tick(): void {
    // A watcher never ends by itself, and a drain waits for all that runs.
    if (this.#options.draining()) {
      this.close();
      return;
    }
    const changed = this.#changes();
    const now = this.#options.clock.now();
    for (const [call, watcher] of this.#watchers) {
      const { response } = call;
      if (response.writableLength > MAX_WAITING) response.destroy();
      else if (changed || now - watcher.sent >= KEEP_ALIVE_MS) {
        response.write(changed ?? ': here\n\n');
        watcher.sent = now;
      }
    }
  }

  /** The event that tells what changed since the last time; null for nothing. */
  #changes(): string | null {
    const state = this.#options.snapshots.state();
    if (!state) return null;
    const first = !this.#begun;
    this.#begun = true;
    const changed = this.#changed.next(state);
    if (first) return event('state', JSON.stringify(state));
    return changed && event('change', JSON.stringify(changed));
  }
}

function event(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`;
}
