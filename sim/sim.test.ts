import { afterAll, describe, expect, it } from 'vitest';
import { FAULTS } from './faults.ts';
import { realModel } from './real-model.ts';
import { type Report, runSeed } from './run.ts';
import { epochCheckOff, replaySkipsRow } from './sabotage.ts';

const SEEDS = 3000;
/** How often each kind of fault must really have happened. */
const HITS = 100;
/** Every so many seeds a tiny real model runs as well. */
const REAL_EVERY = 100;

describe('the simulated network', () => {
  it(`breaks no promise in ${SEEDS} seeds, while each fault strikes ${HITS} times`, async () => {
    const hits = new Map<string, number>();
    const failed: string[] = [];
    for (let seed = 0; seed < SEEDS; seed++) {
      const report = await runSeed(seed);
      if (report.broken.length > 0) failed.push(say(report));
      for (const [name, times] of report.hits) hits.set(name, (hits.get(name) ?? 0) + times);
    }
    expect(failed).toEqual([]);
    const wanted = [...FAULTS.map(({ name }) => name), 'mode private', 'mode light'];
    const rare = wanted.filter((name) => (hits.get(name) ?? 0) < HITS);
    expect(rare.map((name) => `${name}: ${hits.get(name) ?? 0}`)).toEqual([]);
  }, 900_000);

  it('replays a seed exactly', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const first = await runSeed(seed);
      const again = await runSeed(seed);
      expect([again.trace, again.events, again.worldMs]).toEqual([first.trace, first.events, first.worldMs]);
    }
  });

  it('notices a host that takes frames of an older epoch', async () => {
    expect(await caught(epochCheckOff)).toBeGreaterThan(0);
  });

  it('notices a replay that skips a row', async () => {
    expect(await caught(replaySkipsRow)).toBeGreaterThan(0);
  });
});

describe('the simulated network with a real model', () => {
  const loading = realModel();
  afterAll(async () => (await loading).dispose());

  it('gives the text of one machine', async () => {
    const model = await loading;
    const failed: string[] = [];
    for (let seed = 0; seed < SEEDS; seed += REAL_EVERY) {
      const report = await runSeed(seed, { model });
      if (report.broken.length > 0) failed.push(say(report));
    }
    expect(failed).toEqual([]);
  }, 300_000);
});

/** Seeds of a hundred in which a promise is seen broken. */
async function caught(sabotage: NonNullable<Parameters<typeof runSeed>[1]>): Promise<number> {
  let seen = 0;
  for (let seed = 0; seed < 100; seed++) if ((await runSeed(seed, sabotage)).broken.length > 0) seen++;
  return seen;
}

function say({ seed, broken }: Report): string {
  return `npm run sim -- --seed ${seed}: ${broken.slice(0, 3).join('; ')}`;
}
