import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { ManualClock } from '../../src/host/testing/manual-clock.ts';
import { ask } from '../testing/http.ts';
import { createMeters } from './meters.ts';
import type { NetworkState } from './network-state.ts';
import { type WatchOptions, watchRoutes } from './routes.ts';
import { type Served, serve } from './testing/serve.ts';
import { HeardLog } from './testing/silent-log.ts';
import { stateOf } from './testing/state.ts';
import { Watcher } from './testing/watcher.ts';

const closing: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const START = Date.parse('2026-03-04T12:34:56Z');

/** The routes over a real server, with a clock that the test moves. */
async function start(options: Partial<WatchOptions> = {}) {
  const clock = new ManualClock();
  const log = new HeardLog();
  const relay = createMeters({ gauges: { shoal_peers: () => 5 } });
  const now = () => new Date(START + clock.now());
  const watch = watchRoutes({
    state: () => stateOf({ at: now().toISOString() }),
    meters: relay,
    health: () => ({ models: 1, preparing: [], api: { running: 1, waiting: 2 } }),
    draining: () => false,
    clock,
    log,
    now,
    ...options,
  });
  const server: Served = await serve(watch.routes);
  closing.push(() => server.close(), watch.close);
  const watcher = (from?: string) => {
    const made = new Watcher(server.port, from);
    closing.push(() => made.close());
    return made;
  };
  return {
    clock,
    log,
    relay,
    watch,
    port: server.port,
    watcher,
    get: (path: string) => ask(server.port, path),
  };
}

it('every route is light, so that it answers while the relay drains or is flooded', async () => {
  const { watch } = await start();
  expect(watch.routes.map(({ kind }) => kind)).toEqual(Array(5).fill('light'));
});

it('a load balancer sees 200 while serving and 503 while draining', async () => {
  let draining = false;
  const { get } = await start({ draining: () => draining });
  const served = await get('/healthz');
  expect(served.status).toBe(200);
  expect(JSON.parse(served.text)).toEqual({
    status: 'ok',
    models: 1,
    preparing: [],
    api: { running: 1, waiting: 2 },
    draining: false,
  });
  draining = true;
  const leaving = await get('/healthz');
  expect(leaving.status).toBe(503);
  expect(JSON.parse(leaving.text)).toMatchObject({ status: 'draining', draining: true, models: 1 });
});

it('a flood of questions costs the rooms one look a second', async () => {
  const asked = { state: 0, health: 0, metrics: 0 };
  const relay = createMeters({ gauges: {} });
  const { get } = await start({
    state: () => {
      asked.state++;
      return stateOf();
    },
    health: () => {
      asked.health++;
      return {};
    },
    meters: {
      contentType: 'text/plain',
      metricsText: () => {
        asked.metrics++;
        return relay.metricsText();
      },
    },
  });
  const paths = ['/healthz', '/metrics', '/status', '/v1/network'];
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => get(paths[i % 4] ?? '')));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(asked).toEqual({ state: 1, health: 1, metrics: 1 });
});

it('metrics are Prometheus’ text, new each second', async () => {
  const { get, relay, clock } = await start();
  const first = await get('/metrics');
  expect(first.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(first.text).toContain('\nshoal_peers 5\n');
  expect(first.text).toContain('\nshoal_recoveries_total 0\n');
  relay.meters.count('shoal_recoveries_total', {});
  await clock.advance(1_000);
  expect((await get('/metrics')).text).toContain('\nshoal_recoveries_total 1\n');
});

it('the state is JSON that pages of other origins may read', async () => {
  const { get, watch } = await start();
  const { status, text, headers } = await get('/v1/network');
  expect(status).toBe(200);
  expect(headers['cache-control']).toBe('no-store');
  expect(JSON.parse(text)).toEqual(stateOf());
  const open = watch.routes.filter(({ crossOrigin }) => crossOrigin);
  expect(open.map(({ matches }) => [matches('/v1/network'), matches('/v1/network/live')])).toEqual([
    [true, false],
    [false, true],
  ]);
});

it('the status page may load nothing, run nothing and be framed by nobody; only its own style counts', async () => {
  const { get, port } = await start();
  const { status, text, headers } = await get('/status');
  expect(status).toBe(200);
  const policy = String(headers['content-security-policy']);
  const [, style = ''] = /<style>(.*?)<\/style>/s.exec(text) ?? [];
  const hash = createHash('sha256').update(style).digest('base64');
  expect(policy).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  expect(text).not.toMatch(/<script|<img|<link|\sstyle=|\son\w+=/i);
  expect(text).toContain('<meta http-equiv="refresh" content="5">');
  expect((await get('/status?still')).text).not.toContain('http-equiv="refresh"');
  const head = await ask(port, '/status', {}, 'HEAD');
  expect([head.status, head.text, head.headers['content-length']]).toEqual([
    200,
    '',
    String(Buffer.byteLength(text)),
  ]);
});

it('while a room hangs, everything answers with what was seen last and says since when', async () => {
  let hangs = false;
  const { get, clock, log } = await start({
    state: () => (hangs ? new Promise<NetworkState>(() => {}) : stateOf()),
  });
  expect((await get('/status')).text).not.toContain('No answer');
  hangs = true;
  await clock.advance(60_000);
  const { text } = await get('/status');
  expect(text).toContain('At 12:35:56 UTC');
  expect(text).toContain('No answer from the relay’s rooms since 12:34:56 UTC');
  expect(text, 'what was seen last').toContain('400');
  expect(JSON.parse((await get('/v1/network')).text).at).toBe('2026-03-04T12:34:56.000Z');
  expect((await get('/healthz')).status).toBe(200);
  expect(log.lines).toEqual([]);
});

it('a room that hangs from the start leaves a page that says so', async () => {
  const { get, clock } = await start({ state: () => new Promise<NetworkState>(() => {}) });
  expect((await get('/status')).text).toContain('The relay is starting.');
  await clock.advance(10_000);
  expect((await get('/status')).text).toContain('No answer from the relay’s rooms since 12:34:56 UTC.');
  expect((await get('/v1/network')).status).toBe(503);
});

it('a room that fails is logged once, and is shown again when it is back', async () => {
  let fails = true;
  const { get, clock, log } = await start({
    state: () => {
      if (fails) throw new Error('that room is down');
      return stateOf();
    },
  });
  await clock.advance(20_000);
  expect(log.lines).toMatchObject([{ level: 'error', fields: { reason: 'that room is down' } }]);
  fails = false;
  await clock.advance(1_000);
  expect((await get('/v1/network')).status).toBe(200);
});

it('a watcher gets the whole state, then within two seconds what changed, then a sign of life', async () => {
  let state = stateOf();
  const { clock, watcher } = await start({ state: () => state });
  const one = watcher();
  await one.when(({ heard }) => heard.length === 1);
  expect(one.heard[0]).toEqual({ event: 'state', data: JSON.stringify(state) });
  state = stateOf({ at: '2026-03-04T12:34:58.000Z', peers: { total: 9, hosting: 1, by_path: {} } });
  await clock.advance(2_000);
  await one.when(({ heard }) => heard.length === 2);
  const change = one.heard[1]!;
  expect(change.event).toBe('change');
  expect(JSON.parse(change.data)).toEqual({ at: state.at, peers: state.peers });
  expect({ ...stateOf(), ...JSON.parse(change.data) }, 'put over the state it is the new state').toEqual(
    state,
  );
  state = stateOf({ at: '2026-03-04T12:35:20.000Z', peers: state.peers });
  await clock.advance(13_000);
  expect(one.heard, 'the time alone is no change').toHaveLength(2);
  await clock.advance(3_000);
  await one.when(({ heard }) => heard.length === 3);
  expect(one.heard[2]?.event).toBe('comment');
});

it('however fast things change, a watcher hears it once a second', async () => {
  let looks = 0;
  const { clock, watcher } = await start({ state: () => stateOf({ records: looks++ }) });
  const one = watcher();
  await one.when(({ heard }) => heard.length === 1);
  await clock.advance(10_000);
  await one.when(({ heard }) => heard.length === 11);
  expect(one.heard.slice(1).every(({ event }) => event === 'change')).toBe(true);
});

it('watchers beyond 64 of one address and 256 in all are refused, and a place is free again after one leaves', async () => {
  const { watcher } = await start();
  const near = Array.from({ length: 64 }, () => watcher('10.0.0.1'));
  await Promise.all(near.map((one) => one.when(({ status }) => status === 200)));
  const more = watcher('10.0.0.1');
  await more.when(({ status }) => status !== 0);
  expect(more.status).toBe(503);
  const far = Array.from({ length: 192 }, (_, i) => watcher(`10.0.1.${i}`));
  await Promise.all(far.map((one) => one.when(({ status }) => status === 200)));
  const last = watcher('10.0.2.1');
  await last.when(({ status }) => status !== 0);
  expect(last.status).toBe(503);
  near[0]!.close();
  for (;;) {
    const again = watcher('10.0.2.1');
    await again.when(({ status }) => status !== 0);
    if (again.status === 200) break;
  }
});

it('a watcher that does not read is dropped, and the others go on', { timeout: 120_000 }, async () => {
  let look = 0;
  const { clock, watcher, port } = await start({
    state: () => stateOf({ relays: [{ peer: `${look++}`.padEnd(400_000, 'x'), state: 'connected' }] }),
  });
  const slow = connect(port, '127.0.0.1');
  let dropped = false;
  slow.on('error', () => {});
  slow.write('GET /v1/network/live HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise<void>((resolve) => slow.once('data', () => resolve()));
  slow.pause();
  const one = watcher();
  await one.when(({ heard }) => heard.length === 1);
  // The kernel takes a few megabytes before anything waits here.
  for (let ticks = 2; ticks < 60; ticks++) {
    await clock.advance(1_000);
    await one.when(({ heard }) => heard.length === ticks);
  }
  slow.once('close', () => {
    dropped = true;
  });
  slow.resume();
  while (!dropped) await new Promise((resolve) => setImmediate(resolve));
  expect(one.ended).toBe(false);
});

it('a drain does not wait for watchers, and new ones are sent elsewhere', async () => {
  let draining = false;
  const { clock, watcher } = await start({ draining: () => draining });
  const one = watcher();
  await one.when(({ heard }) => heard.length === 1);
  draining = true;
  await clock.advance(1_000);
  await one.when(({ ended }) => ended);
  const late = watcher();
  await late.when(({ status }) => status !== 0);
  expect(late.status).toBe(503);
});

it('closing leaves no timer and no watcher', async () => {
  const { clock, watcher, watch } = await start();
  const one = watcher();
  await one.when(({ heard }) => heard.length === 1);
  watch.close();
  await one.when(({ ended }) => ended);
  expect(clock.pending).toBe(0);
});
