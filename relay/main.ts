import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CATALOGUE } from '../src/model/index.ts';
import type { Swarm } from '../src/swarm/index.ts';
import { buildPage } from './build.ts';
import { explain, RelayError } from './errors.ts';
import { Hosting } from './hosting/hosting.ts';
import { parseOptions, type RelayOptions, USAGE } from './options.ts';
import { loadPage, type ServePage } from './page.ts';
import { Preparation } from './preparation.ts';
import { startServer } from './server.ts';
import { type ServedModel, Shelf } from './shelf.ts';
import { Membership } from './swarm.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Goodbyes take milliseconds; whoever does not take one in this time hears it from the closing link. Milliseconds. */
const GOODBYE_MS = 1_500;

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), process.env);
  if (options.help) return void process.stdout.write(USAGE);

  const stop = new AbortController();
  const shelf = new Shelf();
  const preparation = new Preparation(options.models.length > 0 ? options.models : [CATALOGUE[0].id]);
  const hosting = new Hosting(options);
  const membership = new Membership();
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
      health: () => ({
        preparing: preparation.health(),
        network: membership.health(),
        hosting: hosting.health(),
      }),
      network: () => membership.describe(),
    },
    options.port,
    options.host,
  );
  const close = async () => {
    stop.abort();
    // No new requests from here on; those in flight are finished beside the goodbyes.
    const served = server.close();
    await within(GOODBYE_MS, hosting.close('the relay stops'));
    await within(GOODBYE_MS, membership.close('the relay stops'));
    await served;
  };
  onSignal(close);

  const joined = membership.join(server, options.data);
  try {
    await buildPage(ROOT, { signal: stop.signal });
    page = await loadPage(join(ROOT, 'dist'));
    console.log(`Shoal is at ${addressOf(options, server.port)}`);
    await Promise.all([
      preparation.run(options.data, shelf, stop.signal),
      lend(hosting, preparation.first, joined, stop.signal),
    ]);
  } catch (error) {
    if (stop.signal.aborted) return;
    await close();
    throw error;
  }
}

/** Lends the first model that is served, in the background: serving does not wait for it. */
async function lend(
  hosting: Hosting,
  served: Promise<ServedModel | null>,
  joined: Promise<Swarm | null>,
  signal: AbortSignal,
): Promise<void> {
  const [model, swarm] = await Promise.all([served, joined]);
  if (model && swarm && !signal.aborted) await hosting.run(model, swarm, signal);
}

/** Waits for a job, but not longer than that. */
async function within(ms: number, job: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([job, late]);
  clearTimeout(timer);
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

try {
  await main();
} catch (error) {
  console.error(explain(error));
  process.exitCode = error instanceof RelayError && error.code === 'usage' ? 2 : 1;
}
