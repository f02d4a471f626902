import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CATALOGUE } from '../../src/model/index.ts';
import { nearest } from '../config/index.ts';
import { RelayError } from '../errors.ts';
import { type PrepareProgress, prepareModel } from '../library.ts';
import { formatBytes, ProgressBar } from '../progress.ts';
import { type Command, type CommandContext, EXIT } from './command.ts';
import { askRelay } from './status.ts';
import { plain, table } from './table.ts';

export const models: Command = {
  name: 'models',
  usage: '[list | fetch <id or URL> | remove <id>] [flags]',
  summary: 'list, fetch and remove models',
  about: `Lists the models that Shoal knows by name, what lies in the data folder, and what is served.
\`fetch\` brings a model here before the relay needs it, and goes on where an earlier fetch
stopped. \`remove\` frees its space.

Example:  shoal-relay models fetch smollm2-135m-instruct`,
  own: {
    json: { placeholder: '', help: 'For `list`: as JSON.' },
    at: { placeholder: 'URL', help: 'For `list`: the relay to ask what it serves.' },
  },
  run: async (context) => {
    const [action = 'list', which, ...more] = context.rest;
    if (action === 'list') return list(context);
    if (action !== 'fetch' && action !== 'remove') {
      const meant = nearest(action, ['list', 'fetch', 'remove']);
      throw new RelayError(
        'usage',
        `\`models\` takes list, fetch or remove, not "${action.slice(0, 60)}".${meant ? ` Did you mean ${meant}?` : ''}`,
      );
    }
    if (which === undefined || more.length > 0)
      throw new RelayError('usage', `Say which model: shoal-relay models ${action} ${CATALOGUE[0].id}.`);
    return action === 'fetch' ? fetchOne(context, which) : remove(context, which);
  },
};

async function list(context: CommandContext): Promise<number> {
  const { config, out, options } = context;
  const here = await filesHere(config.data);
  const { url, state } = await askRelay(context).catch((error: unknown) => {
    // Port 0: nobody can be asked, and nobody has to be.
    if (error instanceof RelayError) return { url: '', state: { why: error.message } };
    throw error;
  });
  const served = 'why' in state ? null : servedIn(state.network?.models);
  const catalogue = CATALOGUE.map((entry) => ({
    id: entry.id,
    name: entry.name,
    licence: entry.licence,
    bytes: entry.files.reduce((sum, { bytes }) => sum + bytes, 0),
    here: entry.files.every(({ name, bytes }) =>
      here.some((file) => file.name === name && file.bytes === bytes),
    ),
  }));
  if (options.has('json')) {
    const all = { catalogue, files: here, configured: config.models, served };
    out.write(`${JSON.stringify(all, null, 2)}\n`);
    return EXIT.ok;
  }
  const rows = catalogue.map((one) => [
    one.id,
    one.name,
    formatBytes(one.bytes),
    one.licence,
    one.here ? 'here' : 'to be fetched',
  ]);
  out.write(`Known by name\n${table(rows)}`);
  out.write(`\nIn ${folderOf(config.data)}\n`);
  out.write(
    here.length === 0
      ? '  nothing\n'
      : table(here.map(({ name, bytes }) => [plain(name), formatBytes(bytes)])),
  );
  out.write(
    `\nTo be served by this configuration\n${table(config.models.map((model) => [plain(model, 200)]))}`,
  );
  if (served)
    out.write(`\nServed at ${url}\n${served.length === 0 ? '  nothing\n' : table(served.map((id) => [id]))}`);
  else out.write('\nNo relay runs here now.\n');
  return EXIT.ok;
}

async function fetchOne({ config, out, signal }: CommandContext, which: string): Promise<number> {
  const known = CATALOGUE.some(({ id }) => id === which);
  if (!known && !/^https?:\/\//i.test(which)) throw unknownModel(which);
  let bar: ProgressBar | undefined;
  const onProgress = ({ stage, source, done, total }: PrepareProgress) => {
    const label = stage === 'hashing' ? 'Checking' : `Fetching from ${source}`;
    if (bar?.label !== label) {
      bar?.end();
      bar = new ProgressBar(label, out);
    }
    bar.update(done, total);
  };
  try {
    const model = await prepareModel(which, config.data, { onProgress, signal });
    bar?.end();
    const bytes = model.files.reduce((sum, file) => sum + file.bytes, 0);
    out.write(`${model.name} is here: ${formatBytes(bytes)}, ${model.layers} layers, cid ${model.cid}.\n`);
    const isServed = config.models.includes(which);
    if (!isServed) out.write(`To serve it: --model ${which}, or \`models\` in shoal.yaml.\n`);
    return EXIT.ok;
  } catch (error) {
    bar?.end();
    throw error;
  }
}

async function remove(context: CommandContext, which: string): Promise<number> {
  const { config, out } = context;
  const folder = folderOf(config.data);
  const names = await namesOf(which, config.data);
  const { state } = await askRelay(context).catch(() => ({ state: { why: 'nobody can be asked' } }));
  if (!('why' in state) && servedIn(state.network?.models)?.includes(which))
    throw new RelayError(
      'usage',
      `A relay that runs here serves ${which}. Stop it, or take the model out of \`models\`, first.`,
    );
  let bytes = 0;
  for (const name of names) {
    bytes += await sizeOf(join(folder, name));
    await rm(join(folder, name), { recursive: true, force: true });
  }
  out.write(`${which} is removed: ${formatBytes(bytes)} are free again.\n`);
  return EXIT.ok;
}

/** Everything in the models folder that belongs to a model: its files, what is left of downloads, its manifest. */
async function namesOf(which: string, data: string): Promise<string[]> {
  const entry = CATALOGUE.find(({ id }) => id === which);
  const there = await readdir(folderOf(data)).catch(() => [] as string[]);
  // Never a path: what is removed lies in the models folder and nowhere else.
  const files = entry
    ? entry.files.map(({ name }) => name)
    : [basename(which)].filter((name) => name === which);
  const sides = (name: string) => [
    name,
    `${name}.part`,
    `${name}.from`,
    `${name}.manifest.json`,
    `${name}.manifest.stamp.json`,
  ];
  const wanted = new Set(files.filter((name) => name !== '' && name !== '.' && name !== '..').flatMap(sides));
  const names = there.filter((name) => wanted.has(name));
  if (names.length > 0) return names;
  if (entry)
    throw new RelayError('usage', `${which} is not in ${folderOf(data)}: there is nothing to remove.`);
  throw unknownModel(which, there);
}

function unknownModel(which: string, files: readonly string[] = []): RelayError {
  const ids = CATALOGUE.map(({ id }) => id);
  const meant = nearest(which, [...ids, ...files]);
  const hint = meant
    ? `Did you mean ${meant}?`
    : `There are ${ids.join(', ')}; a URL can be fetched as well.`;
  return new RelayError('usage', `No model is called "${which.slice(0, 60)}". ${hint}`);
}

/** Models in the data folder; what belongs to them is counted, not listed. */
async function filesHere(data: string): Promise<{ name: string; bytes: number }[]> {
  const folder = folderOf(data);
  const names = await readdir(folder).catch(() => [] as string[]);
  const models = names.filter((name) => !/\.(from|json|new)$/.test(name)).sort();
  return Promise.all(models.map(async (name) => ({ name, bytes: await sizeOf(join(folder, name)) })));
}

async function sizeOf(path: string): Promise<number> {
  // Gone while we looked.
  const info = await stat(path).catch(() => null);
  if (!info?.isDirectory()) return info?.size ?? 0;
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function servedIn(models: unknown): string[] | null {
  if (!Array.isArray(models)) return null;
  return models.map((model: unknown) => plain((model as { id?: unknown } | null)?.id));
}

function folderOf(data: string): string {
  return join(data, 'models');
}
