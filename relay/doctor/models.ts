import { mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CATALOGUE, type CatalogueEntry } from '../../src/model/index.ts';
import { fetchModelFiles, sourcesFrom } from '../../src/model/node.ts';
import { formatBytes } from '../progress.ts';
import { existing } from './existing.ts';
import { type Check, type DoctorContext, fail, ok, warn } from './types.ts';

/** Left for the log, counters and records of the network. Bytes. */
const SPARE = 500e6;
/** A source that is to send gigabytes sends its first bytes sooner. Milliseconds. */
const FIRST_BYTES_MS = 10_000;

interface Wanted {
  /** Bytes still to be fetched. */
  missing: number;
  finding: ReturnType<typeof ok> | ReturnType<typeof warn> | ReturnType<typeof fail>;
}

export const models: Check = {
  name: 'Models',
  run: async (context) => {
    const wanted = await Promise.all(context.config.models.map((model) => look(model, context)));
    const missing = wanted.reduce((sum, one) => sum + one.missing, 0);
    return [...wanted.map(({ finding }) => finding), await room(context, missing)];
  },
};

async function look(model: string, context: DoctorContext): Promise<Wanted> {
  const folder = join(context.config.data, 'models');
  const entry = CATALOGUE.find(({ id }) => id === model);
  if (entry) return lookInCatalogue(entry, folder, context.signal);
  const isUrl = /^https?:/i.test(model);
  try {
    const sources = await sourcesFrom(model, context.signal);
    const bytes = sources.reduce((sum, { size }) => sum + size, 0);
    for (const source of sources) await source.close?.();
    const name = basename(isUrl ? new URL(model).pathname : model);
    const seen = `${name}: ${formatBytes(bytes)}`;
    if (sources.length === 0)
      return missing(
        0,
        fail(`${model} has no model files.`, 'Name a GGUF file or a folder with safetensors.'),
      );
    if (!isUrl) return missing(0, ok(`${seen}, on this machine.`));
    const kept = sources.length === 1 ? await sizeOf(join(folder, basename(sources[0]!.name))) : null;
    if (kept === bytes) return missing(0, ok(`${seen}, already fetched.`));
    return missing(bytes, ok(`${seen}, to be fetched from ${new URL(model).host}, which answers.`));
  } catch (error) {
    context.signal.throwIfAborted();
    const why = error instanceof Error ? error.message : 'The reason is unknown.';
    return missing(0, fail(`${model} cannot be opened. ${why}`, 'Correct its path or URL in `models`.'));
  }
}

async function lookInCatalogue(entry: CatalogueEntry, folder: string, signal: AbortSignal): Promise<Wanted> {
  let bytes = 0;
  for (const file of entry.files) {
    if ((await sizeOf(join(folder, file.name))) !== file.bytes) bytes += file.bytes;
  }
  if (bytes === 0) return missing(0, ok(`${entry.name} is here.`));
  const why = await whyUnreachable(entry, signal);
  const seen = `${entry.name}: ${formatBytes(bytes)} are to be fetched`;
  if (why === null) return missing(bytes, ok(`${seen}, and a source answers.`));
  return missing(
    bytes,
    fail(`${seen}, and no source answers. ${why}`, 'Check the connection of this machine.'),
  );
}

/** Begins the download and stops at its first bytes: nothing else proves that a source works. */
async function whyUnreachable(entry: CatalogueEntry, signal: AbortSignal): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-doctor-'));
  const enough = new AbortController();
  let arrived = false;
  try {
    await fetchModelFiles(entry, folder, {
      signal: AbortSignal.any([signal, enough.signal, AbortSignal.timeout(FIRST_BYTES_MS)]),
      onProgress: ({ done }) => {
        if (done === 0) return;
        arrived = true;
        enough.abort();
      },
    });
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (arrived) return null;
    return error instanceof Error ? error.message : 'The reason is unknown.';
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function room({ config }: DoctorContext, needed: number) {
  const { bavail, bsize } = await statfs(await existing(config.data));
  const free = bavail * bsize;
  const seen = `${formatBytes(free)} are free on the disk of ${config.data}`;
  if (free < needed)
    return fail(`${seen}, the models need ${formatBytes(needed)}.`, 'Free some, or move the data folder.');
  if (free < needed + SPARE) return warn(`${seen}, which is tight.`, 'Free some before it is full.');
  return ok(`${seen}.`);
}

async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    // Not there, or not readable, which the relay will tell when it comes to it.
    () => null,
  );
}

function missing(bytes: number, finding: Wanted['finding']): Wanted {
  return { missing: bytes, finding };
}
