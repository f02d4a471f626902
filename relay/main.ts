import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CATALOGUE, ModelError } from '../src/model/index.ts';
import { buildPage } from './build.ts';
import { RelayError } from './errors.ts';
import { type PrepareProgress, prepareModel } from './library.ts';
import { parseOptions, type RelayOptions, USAGE } from './options.ts';
import { loadPage, type ServePage } from './page.ts';
import { ProgressBar } from './progress.ts';
import { startServer } from './server.ts';
import { Shelf } from './shelf.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What /healthz tells about a model that is not served yet. Reasons stay in the log: they may name paths. */
type Preparing = {
  model: string;
  stage: PrepareProgress['stage'] | 'waiting' | 'failed';
  done: number;
  total: number;
};

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), process.env);
  if (options.help) return void process.stdout.write(USAGE);

  const stop = new AbortController();
  const shelf = new Shelf();
  const wanted = options.models.length > 0 ? options.models : [CATALOGUE[0].id];
  const preparing = new Map<string, Preparing>(
    wanted.map((model) => [model, { model: labelOf(model), stage: 'waiting', done: 0, total: 0 }]),
  );
  // The port is taken before the page is built, so that a port in use is told at once.
  let page: ServePage = (_request, response) => {
    response.writeHead(503, { 'Content-Type': 'text/plain', 'Retry-After': '3' });
    response.end('The page is being built. Reload in a few seconds.\n');
    return true;
  };
  const server = await startServer(
    {
      page: (request, response, pathname) => page(request, response, pathname),
      shelf,
      health: () => ({ preparing: [...preparing.values()] }),
    },
    options.port,
    options.host,
  );
  const close = async () => {
    stop.abort();
    await server.close();
  };
  onSignal(close);

  try {
    await buildPage(ROOT, { signal: stop.signal });
    page = await loadPage(join(ROOT, 'dist'));
    console.log(`Shoal is at ${addressOf(options, server.port)}`);
    await prepareAll(wanted, options.data, shelf, preparing, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return;
    await close();
    throw error;
  }
}

async function prepareAll(
  wanted: readonly string[],
  data: string,
  shelf: Shelf,
  preparing: Map<string, Preparing>,
  signal: AbortSignal,
): Promise<void> {
  for (const model of wanted) {
    const state = preparing.get(model);
    if (!state) continue;
    let bar: ProgressBar | null = null;
    try {
      const onProgress = ({ stage, source, done, total }: PrepareProgress) => {
        const label =
          stage === 'hashing' ? `Checking ${state.model}` : `Fetching ${state.model} from ${source}`;
        if (bar?.label !== label) {
          bar?.end();
          bar = new ProgressBar(label);
        }
        bar.update(done, total);
        Object.assign(state, { stage, done, total });
      };
      const served = await prepareModel(model, data, { onProgress, signal });
      endBar(bar);
      shelf.add(served);
      preparing.delete(model);
      console.log(`Serving ${served.name}, ${served.layers} layers.`);
    } catch (error) {
      endBar(bar);
      if (signal.aborted) return;
      state.stage = 'failed';
      console.error(`${state.model} is not served. ${explain(error)}`);
    }
  }
  if (shelf.list().length === 0)
    console.error('No model is served. Models can still be opened from a file in the page.');
}

function endBar(bar: ProgressBar | null): void {
  bar?.end();
}

/** The file or host name of a source: /healthz must not tell folders of this machine. */
function labelOf(model: string): string {
  return (
    CATALOGUE.find(({ id }) => id === model)?.name ?? model.split(/[\\/]/).filter(Boolean).at(-1) ?? model
  );
}

function addressOf({ host }: RelayOptions, port: number): string {
  // Browsers give a page WebGPU and shared memory only over https or on localhost.
  const anywhere = host === '0.0.0.0' || host === '::' || host === '127.0.0.1';
  const name = anywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/`;
}

/** The first signal stops in good order, a second one at once. */
function onSignal(close: () => Promise<void>): void {
  let stopping = false;
  const handle = () => {
    if (stopping) process.exit(1);
    stopping = true;
    console.log('\nStopping …');
    close().then(() => process.exit(0));
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
}

function explain(error: unknown): string {
  if (error instanceof RelayError || error instanceof ModelError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  await main();
} catch (error) {
  console.error(explain(error));
  process.exitCode = error instanceof RelayError && error.code === 'usage' ? 2 : 1;
}
