import type { Clock } from '../../src/swarm/index.ts';
import type { Call, Route } from '../http/types.ts';
import { Live } from './live.ts';
import type { RelayMeters } from './meters.ts';
import type { NetworkState } from './network-state.ts';
import { Snapshots } from './snapshots.ts';
import { STATUS_POLICY } from './status-style.ts';
import type { Log } from './types.ts';

/** These answers are exempt from the limit on requests, so that many askers must cost no more than one. Milliseconds. */
const SAME_ANSWER_MS = 250;
/** Text of metrics is made at most this often. Milliseconds. */
const SAME_METRICS_MS = 1_000;

export interface WatchOptions {
  /** Should answer at once; see `NetworkWatch`. */
  state: () => NetworkState | Promise<NetworkState>;
  meters: Pick<RelayMeters, 'metricsText' | 'contentType'>;
  /** Fields of /healthz beside `status`: models, preparing, network, hosting, memory, api. */
  health: () => Record<string, unknown>;
  draining: () => boolean;
  clock: Clock;
  log: Log;
  now?: () => Date;
}

export interface Watch {
  /** /healthz, /metrics, /status, /v1/network, /v1/network/live. All light. */
  routes: Route[];
  /** Ends the watchers and the timers. */
  close(): void;
}

/** What the relay tells about itself, over HTTP. */
export function watchRoutes({ state, meters, health, draining, clock, log, now }: WatchOptions): Watch {
  const snapshots = new Snapshots({ state, clock, log, now });
  const live = new Live({ snapshots, clock, draining });
  const healthNow = kept(clock, SAME_ANSWER_MS, health);
  const metricsText = kept(clock, SAME_METRICS_MS, () => meters.metricsText());
  const routes: Route[] = [
    route('/healthz', ({ response }) => {
      const stopping = draining();
      const text = JSON.stringify({
        status: stopping ? 'draining' : 'ok',
        ...healthNow(),
        draining: stopping,
      });
      // 503 takes the relay out of a load balancer before it closes.
      send(response, stopping ? 503 : 200, 'application/json; charset=utf-8', Buffer.from(text));
    }),
    route('/metrics', async ({ response }) => {
      send(response, 200, meters.contentType, Buffer.from(await metricsText()));
    }),
    route('/status', ({ response, query }) => {
      response.setHeader('Content-Security-Policy', STATUS_POLICY);
      send(response, 200, 'text/html; charset=utf-8', snapshots.page(!query.has('still')));
    }),
    {
      ...route('/v1/network', ({ response }) => {
        const json = snapshots.json();
        if (json) send(response, 200, 'application/json; charset=utf-8', json);
        else sendLater(response, 'The relay is starting. Ask again in a second.');
      }),
      crossOrigin: true,
    },
    {
      ...route('/v1/network/live', (call) => {
        const refused = live.attach(call);
        if (refused === 'full')
          sendLater(call.response, 'Too many are watching. Ask /v1/network now and then instead.');
        if (refused === 'draining') sendLater(call.response, 'This relay is about to stop.');
      }),
      crossOrigin: true,
    },
  ];
  return {
    routes,
    close() {
      live.close();
      snapshots.close();
    },
  };
}

function route(path: string, handle: Route['handle']): Route {
  return { methods: ['GET'], kind: 'light', matches: (asked) => asked === path, handle };
}

function send(response: Call['response'], status: number, type: string, body: Buffer): void {
  response.statusCode = status;
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', body.byteLength);
  response.setHeader('Cache-Control', 'no-store');
  response.end(body);
}

function sendLater(response: Call['response'], message: string): void {
  response.setHeader('Retry-After', '5');
  send(response, 503, 'text/plain; charset=utf-8', Buffer.from(`${message}\n`));
}

/** The same answer for everybody who asks within that time. One that fails is not kept. */
function kept<T>(clock: Clock, ms: number, make: () => T): () => T {
  let made: { at: number; value: T } | null = null;
  return () => {
    if (made && clock.now() - made.at < ms) return made.value;
    const value = make();
    const fresh = { at: clock.now(), value };
    made = fresh;
    if (value instanceof Promise)
      value.catch(() => {
        if (made === fresh) made = null;
      });
    return value;
  };
}
