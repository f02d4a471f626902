import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeptLog } from './testing/api.ts';
import { DailyUsage } from './usage.ts';

let folder: string;
const log = new KeptLog();
beforeEach(async () => {
  log.lines.length = 0;
  folder = await mkdtemp(join(tmpdir(), 'shoal-usage-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const NOON = Date.UTC(2026, 10, 21, 12);

describe('DailyUsage', () => {
  it('keeps the tokens of today over a restart', async () => {
    const usage = DailyUsage.open(folder, log, () => NOON);
    usage.add('key_a', 5);
    usage.add('key_a', 7);
    usage.add('key_b', 1);
    await usage.flush();
    const again = DailyUsage.open(folder, log, () => NOON + 1_000);
    expect([again.of('key_a'), again.of('key_b'), again.of('key_c')]).toEqual([12, 1, 0]);
    expect((await stat(join(folder, 'usage.json'))).mode & 0o777).toBe(0o600);
    expect(log.lines).toEqual([]);
  });

  it('begins anew each day (UTC)', async () => {
    let now = NOON;
    const usage = DailyUsage.open(folder, log, () => now);
    usage.add('key_a', 5);
    expect(usage.resetsIn).toBe(12 * 3600);
    await usage.flush();
    now += 12 * 3_600_000;
    expect(usage.of('key_a')).toBe(0);
    expect(DailyUsage.open(folder, log, () => now).of('key_a')).toBe(0);
  });

  it('is written by itself, without being asked', async () => {
    const usage = DailyUsage.open(folder, log, () => NOON);
    usage.add('key_a', 5);
    const path = join(folder, 'usage.json');
    // Five seconds after the first count; the time limit of the test bounds the waiting.
    for (let text = ''; !text.includes('"key_a":5'); ) {
      text = await readFile(path, 'utf8').catch(() => '');
      if (text === '') await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });

  it.each(['{', '{"day":"today","tokens":{}}', '{"day":"2026-11-21","tokens":{"key_a":-5}}'])(
    'counts from nought when the file says %s',
    async (text) => {
      await writeFile(join(folder, 'usage.json'), text);
      expect(DailyUsage.open(folder, log, () => NOON).of('key_a')).toBe(0);
      expect(log.lines).toHaveLength(1);
    },
  );
});
