import { expect, it } from 'vitest';
import { ManualClock } from '../../src/host/testing/manual-clock.ts';
import { systemClock } from '../../src/swarm/index.ts';
import { watchLoopDelay } from './loop-delay.ts';
import { createMeters } from './meters.ts';
import { METRICS } from './metric-table.ts';

/** Samples of the text format, by name and labels. */
async function scrape(relay: ReturnType<typeof createMeters>): Promise<Map<string, number>> {
  const lines = (await relay.metricsText()).split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

it('what is counted and observed is told in the text format, with every metric of the table declared', async () => {
  const relay = createMeters({ gauges: {} });
  relay.meters.count('shoal_api_tokens_total', { kind: 'completion' }, 40);
  relay.meters.count('shoal_api_tokens_total', { kind: 'completion' }, 2);
  relay.meters.count('shoal_recoveries_total', {});
  relay.meters.observe('shoal_step_seconds', { route: 'own' }, 0.012);
  const text = await relay.metricsText();
  for (const [name, { kind }] of Object.entries(METRICS))
    expect(text).toContain(`# TYPE ${name} ${kind === 'read-counter' ? 'counter' : kind}\n`);
  const samples = await scrape(relay);
  expect(samples.get('shoal_api_tokens_total{kind="completion"}')).toBe(42);
  expect(samples.get('shoal_recoveries_total')).toBe(1);
  expect(samples.get('shoal_step_seconds_bucket{le="0.01",route="own"}')).toBe(0);
  expect(samples.get('shoal_step_seconds_bucket{le="0.02",route="own"}')).toBe(1);
  expect(await scrape(relay), 'a scrape changes nothing').toEqual(samples);
});

it('gauges are read at each scrape, and one that has nothing to say or fails is absent', async () => {
  let peers: number | null = 7;
  let links = [
    { labels: { path: 'direct' }, value: 3 },
    { labels: { path: 'relayed' }, value: 1 },
  ];
  const relay = createMeters({
    gauges: {
      shoal_peers: () => peers,
      shoal_links: () => links,
      shoal_host_opened_total: () => 12,
      shoal_models: () => {
        throw new Error('that room is down');
      },
      shoal_dht_records: () => Number.NaN,
    },
  });
  const first = await scrape(relay);
  expect(first.get('shoal_peers')).toBe(7);
  expect(first.get('shoal_links{path="relayed"}')).toBe(1);
  expect(first.get('shoal_host_opened_total')).toBe(12);
  expect(first.has('shoal_models')).toBe(false);
  expect(first.has('shoal_dht_records')).toBe(false);
  peers = null;
  links = [{ labels: { path: 'direct' }, value: 2 }];
  const second = await scrape(relay);
  expect(second.has('shoal_peers')).toBe(false);
  expect(second.get('shoal_links{path="direct"}')).toBe(2);
  expect(second.has('shoal_links{path="relayed"}')).toBe(false);
  expect(second.get('shoal_host_opened_total'), 'read, not added').toBe(12);
});

it('labels that a stranger chose become `other` beyond a hundred, and the sum stays', async () => {
  const relay = createMeters({ gauges: {} });
  for (let i = 0; i < 5_000; i++) {
    relay.meters.count('shoal_errors_total', { room: 'swarm', code: `made-up-${i}` });
    relay.meters.observe('shoal_hop_seconds', { path: `path-${i}` }, 0.1);
  }
  relay.meters.count('shoal_errors_total', { room: 'swarm', code: 'made-up-5' });
  expect(relay.total('shoal_errors_total')).toBe(5_001);
  expect(relay.total('shoal_errors_total', { code: 'made-up-5' })).toBe(2);
  expect(relay.total('shoal_errors_total', { code: 'other' })).toBe(4_900);
  const samples = await scrape(relay);
  expect([...samples.keys()].filter((key) => key.startsWith('shoal_errors_total')).length).toBe(101);
  expect([...samples.keys()].filter((key) => key.startsWith('shoal_hop_seconds_count')).length).toBe(101);
});

it('what is no number of times or no duration is not counted', () => {
  const relay = createMeters({ gauges: {} });
  for (const by of [-1, Number.NaN, Infinity, 1e300])
    relay.meters.count('shoal_answers_total', { route: 'own' }, by);
  for (const seconds of [-1, Number.NaN, Infinity]) relay.meters.observe('shoal_queue_seconds', {}, seconds);
  expect(relay.total('shoal_answers_total')).toBe(0);
  expect(relay.version()).toBe(0);
});

it('today begins anew at midnight, UTC; all time goes on', () => {
  let now = new Date('2026-03-04T23:59:59Z');
  const relay = createMeters({ gauges: {}, now: () => now });
  relay.meters.count('shoal_answers_total', { route: 'own' }, 3);
  expect(relay.answersToday()).toBe(3);
  const saved = relay.snapshot();
  now = new Date('2026-03-05T00:00:00Z');
  expect(relay.answersToday()).toBe(0);
  relay.meters.count('shoal_answers_total', { route: 'own' });
  expect([relay.answersToday(), relay.total('shoal_answers_total')]).toEqual([1, 4]);
  const later = createMeters({ gauges: {}, now: () => now });
  later.restore(saved);
  expect([later.answersToday(), later.total('shoal_answers_total')]).toEqual([0, 3]);
});

it('a blocked event loop shows as delay, and is over two intervals later', { timeout: 60_000 }, async () => {
  const clock = new ManualClock();
  const delay = watchLoopDelay(clock);
  // The first look after this is as late as the loop was blocked.
  await new Promise((resolve) => systemClock.after(100, () => resolve(null)));
  const until = performance.now() + 1_000;
  while (performance.now() < until);
  await new Promise((resolve) => systemClock.after(50, () => resolve(null)));
  expect(delay.seconds()).toBeGreaterThan(0.9);
  await clock.advance(10_000);
  expect(delay.seconds(), 'one scrape later it can still be seen').toBeGreaterThan(0.9);
  await clock.advance(10_000);
  expect(delay.seconds()).toBeLessThan(0.9);
  delay.stop();
  expect(clock.pending).toBe(0);
});
