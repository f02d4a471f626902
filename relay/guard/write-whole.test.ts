import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeWhole } from './write-whole.ts';

const MODULE = fileURLToPath(new URL('write-whole.ts', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-write-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('a file is written whole, with its mode, into a folder that is made', async () => {
  const path = join(folder, 'a/b/keys.json');
  await writeWhole(path, 'secret', { mode: 0o600 });
  expect([await readFile(path, 'utf8'), (await stat(path)).mode & 0o777]).toEqual(['secret', 0o600]);
  await writeWhole(path, Buffer.from('second'), { mode: 0o600 });
  expect([await readFile(path, 'utf8'), await readdir(join(folder, 'a/b'))]).toEqual([
    'second',
    ['keys.json'],
  ]);
});

it('writers at the same time leave one of their files, whole, and nothing else', async () => {
  const path = join(folder, 'x');
  const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(50_000));
  await Promise.all(texts.map((text) => writeWhole(path, text)));
  expect(texts).toContain(await readFile(path, 'utf8'));
  expect(await readdir(folder)).toEqual(['x']);
});

it('what cannot be written is a typed error, and leaves nothing behind', async () => {
  await mkdir(join(folder, 'taken'));
  await writeFile(join(folder, 'file'), 'x');
  for (const path of [join(folder, 'taken'), join(folder, 'file/below')])
    await expect(writeWhole(path, 'x')).rejects.toMatchObject({
      code: 'cannot-write',
      message: expect.stringContaining(path),
    });
  expect((await readdir(folder)).sort()).toEqual(['file', 'taken']);
});

it('when the system takes no more bytes, the old file stays and the process goes on', {
  timeout: 90_000,
}, async () => {
  const path = join(folder, 'counters.json');
  await writeFile(path, 'old');
  // A real refusal in the middle of the file: this process may write files of 64 KB at most.
  const script = `
    const { writeWhole } = await import(${JSON.stringify(MODULE)});
    const failed = await writeWhole(${JSON.stringify(path)}, 'x'.repeat(1e6)).catch((error) => error);
    process.stdout.write(failed.code + ' ' + failed.message + '\\n');
    await writeWhole(${JSON.stringify(join(folder, 'small'))}, 'small');
  `;
  const command = `ulimit -f 64; exec "$0" --import tsx --input-type=module -e "$1"`;
  // Its cache would be written under the same limit.
  const env = { ...process.env, TSX_DISABLE_CACHE: '1' };
  const { stdout } = await promisify(execFile)('bash', ['-c', command, process.execPath, script], { env });
  expect(stdout).toMatch(
    /^cannot-write .*counters\.json could not be written\. .*larger than this process may/,
  );
  expect(await readFile(path, 'utf8')).toBe('old');
  expect((await readdir(folder)).sort()).toEqual(['counters.json', 'small']);
});
