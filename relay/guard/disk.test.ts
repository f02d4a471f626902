import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LogBook } from '../http/testing/serve.ts';
import { DiskWatch } from './disk.ts';

it('the free space of this disk is known, and a limit above it is tight', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-disk-'));
  const log = new LogBook();
  const { bavail, bsize, blocks } = await statfs(folder);
  const roomy = new DiskWatch({ folder, log, low: 1 });
  const tight = new DiskWatch({ folder, log, low: blocks * bsize * 2 });
  await Promise.all([roomy.check(), tight.check()]);
  expect([roomy.tight, tight.tight]).toEqual([false, true]);
  // Others write to this disk too.
  expect(roomy.free! / (bavail * bsize)).toBeGreaterThan(0.5);
  expect(log.lines).toEqual([expect.stringContaining('nearly full')]);
  roomy.close();
  tight.close();
  await rm(folder, { recursive: true });
});

it('a change is told once, and only when it is clear', async () => {
  const log = new LogBook();
  let free = 200;
  const watch = new DiskWatch({ folder: '/data', log, low: 100, read: async () => free });
  const tight: boolean[] = [];
  for (free of [200, 99, 50, 110, 124, 125, 99, 300]) {
    await watch.check();
    tight.push(watch.tight);
  }
  expect(tight).toEqual([false, true, true, true, true, false, true, false]);
  expect(log.lines).toHaveLength(4);
  watch.close();
});

it('a disk that cannot be asked is told once, and is not tight', async () => {
  const log = new LogBook();
  const watch = new DiskWatch({ folder: '/nowhere/at/all', log });
  await watch.check();
  await watch.check();
  expect([watch.free, watch.tight]).toEqual([null, false]);
  expect(log.lines).toEqual([expect.stringMatching(/cannot be read.*ENOENT/)]);
  watch.close();
});
