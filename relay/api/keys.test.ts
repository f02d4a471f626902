import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeyFile } from './keys.ts';
import { KeptLog } from './testing/api.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-keys-'));
  path = join(folder, 'keys.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('KeyFile', () => {
  it('makes keys, keeps only their hashes, and readable by the owner alone', async () => {
    const keys = await KeyFile.open(folder);
    expect(keys.list()).toEqual([]);
    const { key, info } = await keys.add({ name: 'laptop', requestsPerMinute: 5, tokensPerDay: 1_000 });
    expect(key).toMatch(/^sk-shoal-[\w-]{43}$/);
    expect(info).toMatchObject({ name: 'laptop', requestsPerMinute: 5, tokensPerDay: 1_000 });
    expect(keys.check(key)).toEqual(info);
    expect(keys.list()).toEqual([info]);
    const text = await readFile(path, 'utf8');
    expect(text).not.toContain(key.slice('sk-shoal-'.length));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['keys.json']);
  });

  it('knows no other key, however near', async () => {
    const keys = await KeyFile.open(folder);
    const { key } = await keys.add({ name: 'a' });
    for (const other of [
      '',
      'sk-shoal-',
      key.slice(0, -1),
      `${key}=`,
      key.toUpperCase(),
      'x'.repeat(1 << 20),
    ]) {
      expect(keys.check(other)).toBeNull();
    }
  });

  it('sees at once what another process writes', async () => {
    const relay = await KeyFile.open(folder);
    const cli = await KeyFile.open(folder);
    const { key, info } = await cli.add({ name: 'a' });
    expect(relay.check(key)).toEqual(info);
    await cli.revoke('a');
    expect(relay.check(key)).toBeNull();
  });

  it('revokes by id and by name, and says when there is none', async () => {
    const keys = await KeyFile.open(folder);
    const { info } = await keys.add({ name: 'a' });
    await keys.add({ name: 'b' });
    expect(await keys.revoke(info.id)).toEqual(info);
    expect((await keys.revoke('b')).name).toBe('b');
    await expect(keys.revoke('b')).rejects.toMatchObject({ code: 'no_key' });
  });

  it('refuses names and limits that are none, and a name twice', async () => {
    const keys = await KeyFile.open(folder);
    await keys.add({ name: 'a' });
    await expect(keys.add({ name: 'a' })).rejects.toMatchObject({ code: 'key_exists' });
    for (const name of ['', ' a', 'a\nb', 'x'.repeat(65), '-']) {
      await expect(keys.add({ name })).rejects.toMatchObject({ code: 'invalid_value', param: 'name' });
    }
    for (const tokensPerDay of [0, -1, 1.5, Number.NaN, Infinity]) {
      await expect(keys.add({ name: 'c', tokensPerDay })).rejects.toMatchObject({ param: 'tokensPerDay' });
    }
    expect(keys.list()).toHaveLength(1);
  });

  it.each([
    ['cut short', '{"version":1,"keys":[{"id":"key_'],
    ['empty', ''],
    ['of another shape', '{"version":1,"keys":[{"id":"key_000000000000","name":"evil","sha256":"00"}]}'],
    ['huge', ' '.repeat(2 << 20)],
  ])(
    'lets nobody in by a file that is %s, keeps the last good state, and says so once',
    async (_what, text) => {
      const log = new KeptLog();
      const keys = await KeyFile.open(folder, log);
      const { key, info } = await keys.add({ name: 'a' });
      await writeFile(path, text);
      expect(keys.check(key)).toEqual(info);
      expect(keys.check('sk-shoal-anything')).toBeNull();
      expect(log.lines).toHaveLength(1);
      expect(log.lines[0]).not.toContain('evil');
      await expect(keys.add({ name: 'b' })).rejects.toMatchObject({ code: 'keys_unreadable' });
      expect(await readFile(path, 'utf8')).toBe(text);
      // A relay that starts with such a file has no keys.
      expect((await KeyFile.open(folder, log)).list()).toEqual([]);
    },
  );

  it('takes keys from several processes at once without losing one', async () => {
    const module = fileURLToPath(new URL('./keys.ts', import.meta.url));
    const add = async (name: string) => {
      const script = `const { KeyFile } = await import(${JSON.stringify(module)});
        const keys = await KeyFile.open(${JSON.stringify(folder)});
        for (let i = 0; i < 10; i++) await keys.add({ name: '${name}' + i });`;
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
        stdio: 'inherit',
      });
      const [code] = (await once(child, 'exit')) as [number];
      expect(code).toBe(0);
    };
    await Promise.all(['a', 'b', 'c'].map(add));
    expect((await KeyFile.open(folder)).list()).toHaveLength(30);
    expect(await readdir(folder)).toEqual(['keys.json']);
  }, 120_000);

  it('does not wait for the lock of a process that died', async () => {
    await writeFile(`${path}.lock`, '');
    const long = new Date(Date.now() - 3_600_000);
    await utimes(`${path}.lock`, long, long);
    const keys = await KeyFile.open(folder);
    await keys.add({ name: 'a' });
    expect(keys.list()).toHaveLength(1);
  });
});
