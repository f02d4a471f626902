import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findChromium } from './chromium.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-chromium-'));
});

afterEach(() => rm(folder, { recursive: true }));

it('the Chromium that the user names wins', async () => {
  const path = join(folder, 'my-chromium');
  await writeFile(path, '#!/bin/sh\n');
  await chmod(path, 0o755);
  expect(await findChromium({ env: { SHOAL_CHROMIUM: path }, install: false })).toBe(path);
});

it('a named Chromium that cannot be run is an error, not a reason to take another', async () => {
  const path = join(folder, 'absent');
  await expect(findChromium({ env: { SHOAL_CHROMIUM: path }, install: false })).rejects.toThrow(
    `SHOAL_CHROMIUM names ${path}`,
  );
});
