import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../src/host/testing/manual-clock.ts';
import { keepCounters } from './counter-file.ts';
import { createMeters } from './meters.ts';
import { HeardLog } from './testing/silent-log.ts';

const CHILD = fileURLToPath(new URL('testing/counter-child.ts', import.meta.url));

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'shoal-counters-'));
});
afterEach(() => rm(data, { recursive: true, force: true }));

/** Meters of a relay that starts on the folder. `saved` resolves after the next write. */
async function start() {
  const relay = createMeters({ gauges: {}, now: () => new Date('2026-06-15T12:00:00Z') });
  const clock = new ManualClock();
  const log = new HeardLog();
  let tell = () => {};
  let writes = 0;
  const onSaved = () => {
    writes++;
    tell();
  };
  const file = await keepCounters({ data, meters: relay, clock, log, onSaved });
  const saved = () => new Promise<void>((resolve) => (tell = resolve));
  return { relay, clock, log, file, saved, writes: () => writes };
}

it('counters go on where they were before a restart', async () => {
  const first = await start();
  first.relay.meters.count('shoal_api_requests_total', { endpoint: 'chat', end: 'ok' }, 5);
  first.relay.meters.count('shoal_answers_total', { route: 'network' }, 4);
  await Promise.all([first.saved(), first.clock.advance(5_000)]);
  first.relay.meters.count('shoal_recoveries_total', {});
  await first.file.stop();
  expect(first.clock.pending).toBe(0);
  const second = await start();
  expect(second.relay.total('shoal_api_requests_total', { endpoint: 'chat' })).toBe(5);
  expect(second.relay.total('shoal_recoveries_total'), 'counted after the last write, before the stop').toBe(
    1,
  );
  expect(second.relay.answersToday()).toBe(4);
  expect(second.log.lines).toEqual([]);
  await second.file.stop();
});

it('nothing is written when nothing was counted', async () => {
  const { clock, file, writes } = await start();
  await clock.advance(60_000);
  await file.stop();
  expect(writes()).toBe(0);
  expect(await readdir(data)).toEqual([]);
});

const entry = (value: unknown, labels: unknown = { route: 'own' }) =>
  JSON.stringify({
    version: 1,
    counters: { shoal_answers_total: [{ labels, value }] },
    today: { date: '2026-01-01', answers: 0 },
  });

it.each([
  ['cut short', entry(1).slice(0, 40)],
  ['empty', ''],
  ['another program’s', '{"name":"package"}'],
  ['of a later version', entry(1).replace('"version":1', '"version":2')],
  ['null', 'null'],
  ['negative', entry(-1)],
  ['a text for a number', entry('7')],
  ['above any count', entry(1e300)],
  ['with labels that are none', entry(1, { route: 3 })],
  ['a list of labels', entry(1, [])],
  ['huge', entry(1) + ' '.repeat(1024 * 1024)],
  ['binary', '\0\x01\xff'],
])('a file that is %s is moved aside, and the counters begin at 0', async (_what, text) => {
  await writeFile(join(data, 'counters.json'), text);
  const { relay, log, file } = await start();
  expect(relay.total('shoal_answers_total')).toBe(0);
  expect(log.lines).toMatchObject([{ level: 'warn', fields: { kept: 'counters.json.broken' } }]);
  relay.meters.count('shoal_recoveries_total', {});
  await file.stop();
  expect(await readFile(join(data, 'counters.json.broken'), 'utf8')).toBe(text);
  expect((await start()).relay.total('shoal_recoveries_total')).toBe(1);
});

it('a counter that the table does not have any more is dropped, the others stay', async () => {
  const text = entry(6).replace(
    '{"shoal_answers_total"',
    '{"shoal_gone_total":[],"__proto__":[],"shoal_answers_total"',
  );
  await writeFile(join(data, 'counters.json'), text);
  const { relay, log, file } = await start();
  expect(relay.total('shoal_answers_total')).toBe(6);
  expect(log.lines).toMatchObject([{ level: 'info', fields: { names: 'shoal_gone_total __proto__' } }]);
  await file.stop();
});

it('a folder that cannot be written is told in the log, tried again, and ends nothing', async () => {
  const { relay, clock, log, file, saved } = await start();
  // A folder of that name is in the way, as it would be for root as well, whom permissions do not stop.
  await mkdir(join(data, 'counters.json', 'full'), { recursive: true });
  relay.meters.count('shoal_recoveries_total', {});
  await clock.advance(5_000);
  while (log.lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(log.lines).toMatchObject([{ level: 'warn', fields: { code: 'cannot-write' } }]);
  await rm(join(data, 'counters.json'), { recursive: true });
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([saved(), clock.advance(5_000)]);
  await file.stop();
  expect((await start()).relay.total('shoal_recoveries_total')).toBe(1);
});

/** Numbers from 0 to below 1 that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it('killed twenty times in the middle of writing, no file is broken and no saved count is lost', {
  timeout: 300_000,
}, async () => {
  const random = seeded(20);
  let told = 0;
  for (let round = 0; round < 20; round++) {
    const child = fork(CHILD, [data], { execArgv: ['--import', 'tsx'] });
    let seen = 0;
    child.on('message', (value) => {
      seen = value as number;
    });
    await reaches(child, 3 + Math.floor(random() * 20));
    // Somewhere within the next write, which takes about a millisecond.
    await new Promise((resolve) => setTimeout(resolve, random() * 3));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(seen, 'it goes on from what the one before it saved').toBeGreaterThan(told);
    told = seen;
    const { relay, log, file } = await start();
    await file.stop();
    expect(log.lines).toEqual([]);
    expect(relay.total('shoal_answers_total')).toBeGreaterThanOrEqual(told);
  }
  expect((await readdir(data)).filter((name) => name.includes('broken'))).toEqual([]);
});

/** Resolves when the child has saved that often. */
async function reaches(child: ChildProcess, saves: number): Promise<void> {
  for (let i = 0; i < saves; i++) await once(child, 'message');
}
