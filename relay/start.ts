import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CATALOGUE } from '../src/model/index.ts';
import { type Answering, beginAnswering } from './answering.ts';
import { apiRoutes, KeyFile } from './api/index.ts';
import { buildPage } from './build.ts';
import type { ReadConfig } from './config/index.ts';
import type { RelayConfig } from './config/types.ts';
import { RelayError } from './errors.ts';
import { DiskWatch } from './guard/disk.ts';
import { Guard } from './guard/guard.ts';
import { Hosting } from './hosting/hosting.ts';
import { modelsRoute } from './http/models-route.ts';
import { networkRoute } from './http/network-route.ts';
import { pageRoute, shareTargetRoute } from './http/page-route.ts';
import { Membership } from './membership.ts';
import { loadPage, type Page } from './page.ts';
import { Preparation } from './preparation.ts';
import { beginSeeing, type Seeing } from './seeing.ts';
import { startServer } from './server.ts';
import { Shelf } from './shelf.ts';
import { onSignals, stopRelay } from './stop.ts';
import { swarmOptions } from './swarm-options.ts';
import { openTls, type Tls } from './tls/open.ts';
import { AGENT, VERSION } from './version.ts';
import { createLog, type Log } from './watch/index.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs a relay until a signal stops it.
 * @throws RelayError, TransportError for what an operator has to mend
 */
export async function startRelay({ config, file }: ReadConfig): Promise<void> {
  const log = createLog(config.log);
  if (file) log.info(`Settings from ${file}.`);
  await makeFolder(config.data);
  const stopping = new AbortController();
  const shelf = new Shelf();
  const membership = new Membership(log);
  const seeing: Seeing = await beginSeeing(config, {
    log,
    shelf,
    membership,
    version: VERSION,
    agent: AGENT,
  });
  const { meters } = seeing;
  const guard = new Guard({ limits: config.limits, meters, log });
  const disk = new DiskWatch({ folder: config.data, log });
  const hosting = new Hosting({ config: config.hosting, log, meters });
  const answering: Answering = beginAnswering(config, { shelf, hosting, meters, log, agent: AGENT });
  const keys = await KeyFile.open(config.data, log);
  const api = config.api.enabled
    ? apiRoutes({ answers: answering.answers, config: config.api, keys, meters, log, hold: guard.hold() })
    : null;
  const preparation = new Preparation(config.models.length > 0 ? config.models : [CATALOGUE[0].id], {
    log,
    meters,
    ...(drawsBars(config) ? { terminal: process.stdout } : {}),
    onServed: (model) => hosting.add(model),
  });
  const watch = seeing.routes({
    guard,
    disk,
    hosting,
    preparation,
    api: () => api?.status() ?? { running: 0, waiting: 0 },
  });
  const tls: Tls | null = await openTls(config.tls, log);
  // The port is taken before the page is built, so that a port in use is told at once.
  let page: Page | null = null;
  const server = await startServer({
    routes: [
      ...watch.routes,
      networkRoute(() => membership.describe()),
      modelsRoute(shelf),
      ...(api?.routes ?? []),
      pageRoute(() => page),
      shareTargetRoute(),
    ],
    port: config.port,
    host: config.host,
    guard,
    meters,
    log,
    tls: tls?.source,
  });
  const rooms = { server, guard, disk, hosting, answering, api, membership, watch, seeing, tls };
  const stopped = onSignals(log, (hurry) => {
    stopping.abort(new Error('The relay stops.'));
    return stopRelay(rooms, { seconds: config.drainSeconds, log, hurry });
  });
  try {
    await Promise.all([
      build(stopping.signal, log).then((built) => {
        page = built;
        log.info(`Shoal is at ${addressOf(config, server.port, tls)}`);
      }),
      membership.join(swarmOptions(config, { server, guard, tls, meters, log })).then(async (swarm) => {
        if (!swarm || stopping.signal.aborted) return answering.none();
        await answering.begin(swarm, hosting.start(swarm));
        seeing.begin(swarm);
      }),
      preparation.run(config.data, shelf, stopping.signal),
    ]);
  } catch (error) {
    if (!stopping.signal.aborted) {
      await stopRelay(rooms, { seconds: 0, log, hurry: AbortSignal.abort() });
      throw error;
    }
  }
  await stopped;
}

async function build(signal: AbortSignal, log: Log): Promise<Page> {
  await buildPage(ROOT, { signal, log: (line) => log.info(line) });
  return loadPage(join(ROOT, 'dist'));
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new RelayError(
      'cannot-write',
      `The data folder ${folder} cannot be made (${code}). Name another with --data.`,
      { cause: error },
    );
  }
}

function drawsBars({ log }: RelayConfig): boolean {
  return process.stdout.isTTY && log.format !== 'json';
}

function addressOf({ host, url }: RelayConfig, port: number, tls: Tls | null): string {
  if (url) return url;
  // Browsers give a page WebGPU and shared memory only over https or on localhost.
  const anywhere = host === '0.0.0.0' || host === '::' || host === '127.0.0.1';
  const name = anywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `${tls?.source.plainHttp === 'redirect' ? 'https' : 'http'}://${name}:${port}/`;
}
