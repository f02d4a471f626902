import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inputsDigest, isStale, writeStamp } from './stale.ts';

let root: string;
let dist: string;
const write = (name: string, text = 'x') => writeFile(join(root, name), text);
const stale = async () => isStale(dist, await inputsDigest(root));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-stale-'));
  dist = join(root, 'dist');
  await mkdir(join(root, 'src/app'), { recursive: true });
  await mkdir(dist);
  await write('index.html');
  await write('src/app/main.tsx');
  await write('src/app/other.ts');
  await write('dist/index.html');
});

afterEach(() => rm(root, { recursive: true }));

describe('the page is built again', () => {
  it('when it was never built, and not a second time', async () => {
    expect(await stale()).toBe(true);
    await writeStamp(dist, await inputsDigest(root));
    expect(await stale()).toBe(false);
  });

  it('when a source is changed, added, deleted or replaced by another of the same size', async () => {
    const changes = [
      () => write('src/app/main.tsx', 'longer'),
      () => write('src/app/new.ts'),
      () => rm(join(root, 'src/app/other.ts')),
      () => write('index.html', 'y'),
      () => write('vite.config.ts'),
    ];
    for (const change of changes) {
      await writeStamp(dist, await inputsDigest(root));
      await change();
      expect(await stale()).toBe(true);
    }
  });

  it('when the last build was interrupted or its folder was emptied', async () => {
    await writeStamp(dist, await inputsDigest(root));
    await write('dist/.shoal-build.json', '{"inp');
    expect(await stale()).toBe(true);
    await writeStamp(dist, await inputsDigest(root));
    await rm(join(dist, 'index.html'));
    expect(await stale()).toBe(true);
  });

  it('but not when only a time, a test or a document changed', async () => {
    await writeStamp(dist, await inputsDigest(root));
    await write('src/app/main.test.tsx');
    await write('README.md');
    await utimes(join(root, 'index.html'), 1, 1);
    expect(await stale()).toBe(false);
  });
});
