import { readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../src/swarm/index.ts';
import { writeWhole } from '../guard/write-whole.ts';
import { CounterError } from './counters.ts';
import type { RelayMeters } from './meters.ts';
import type { Log } from './types.ts';

/** What a crash may lose at most. Milliseconds. */
const EVERY_MS = 5_000;
/** A full table has about a thousand sets of labels, 100 bytes each. */
const MAX_BYTES = 1024 * 1024;
/** Of the layout of the file. */
const VERSION = 1;

export interface CounterFileOptions {
  /** Folder; the file is `counters.json` in it. */
  data: string;
  meters: Pick<RelayMeters, 'version' | 'snapshot' | 'restore'>;
  clock: Clock;
  log: Log;
  everyMs?: number;
  /** After each write that succeeded. */
  onSaved?: () => void;
}

export interface CounterFile {
  /** Writes what changed since, and ends. Never rejects; may be called twice. */
  stop(): Promise<void>;
}

/**
 * Keeps the counters over a restart: reads them now, writes them every five seconds when they changed and once at the
 * end. The file is replaced whole, so that a kill at any moment leaves the old one or the new one. A file that is none
 * of ours is moved aside. Never rejects: without a file the counters begin at 0.
 */
export async function keepCounters(options: CounterFileOptions): Promise<CounterFile> {
  const { data, meters, clock, log, everyMs = EVERY_MS, onSaved } = options;
  const path = join(data, 'counters.json');
  await load(path, meters, log);
  let written = meters.version();
  let cancel = () => {};
  let running: Promise<void> = Promise.resolve();
  let ended: Promise<void> | null = null;

  const save = async () => {
    const version = meters.version();
    if (version === written) return;
    try {
      await writeWhole(path, JSON.stringify({ version: VERSION, ...meters.snapshot() }), { mode: 0o600 });
      written = version;
      onSaved?.();
    } catch (error) {
      log.warn(
        'The counters could not be written; they are tried again, and are lost if the relay ends before.',
        {
          code: codeOf(error),
        },
      );
    }
  };
  const schedule = () => {
    cancel = clock.after(everyMs, () => {
      running = save().then(() => {
        if (!ended) schedule();
      });
    });
  };
  schedule();
  return {
    stop() {
      cancel();
      ended ??= running.then(save);
      return ended;
    },
  };
}

async function load(path: string, meters: CounterFileOptions['meters'], log: Log): Promise<void> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new CounterError(`It has ${size} bytes.`);
    const saved: unknown = JSON.parse(await readFile(path, 'utf8'));
    if ((saved as { version?: unknown } | null)?.version !== VERSION)
      throw new CounterError('It is of another version.');
    const unknown = meters.restore(saved);
    if (unknown.length > 0)
      log.info('Some saved counters are not known any more and are dropped.', { names: unknown.join(' ') });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    const broken = error instanceof CounterError || error instanceof SyntaxError;
    // One name, so that a fault that comes again does not fill the disk.
    const aside = `${path}.broken`;
    const moved =
      broken &&
      (await rename(path, aside)
        .then(() => true)
        .catch(() => false));
    log.warn('The saved counters cannot be read; they begin at 0.', {
      reason: broken ? (error as Error).message : codeOf(error),
      kept: moved ? 'counters.json.broken' : false,
    });
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? 'unknown';
}
