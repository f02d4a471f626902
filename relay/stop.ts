import type { Answering } from './answering.ts';
import type { Api } from './api/index.ts';
import type { DiskWatch } from './guard/disk.ts';
import type { Guard } from './guard/guard.ts';
import type { Hosting } from './hosting/hosting.ts';
import type { Membership } from './membership.ts';
import type { Seeing } from './seeing.ts';
import type { RelayServer } from './server.ts';
import type { Tls } from './tls/open.ts';
import type { Log, Watch } from './watch/index.ts';

/** Goodbyes take milliseconds; whoever does not take one in this time hears it from the closing link. Milliseconds. */
const GOODBYE_MS = 1_500;
const REASON = 'the relay stops';

interface Rooms {
  server: RelayServer;
  guard: Guard;
  disk: DiskWatch;
  hosting: Hosting;
  answering: Answering;
  api: Api | null;
  membership: Membership;
  watch: Watch;
  seeing: Seeing;
  tls: Tls | null;
}

export interface StopOptions {
  /** What runs may take so long to finish. */
  seconds: number;
  log: Log;
  /** Ends the patience. */
  hurry: AbortSignal;
}

/** Finishes what runs, says goodbye, and writes what is to be kept. Never rejects. */
export async function stopRelay(rooms: Rooms, { seconds, log, hurry }: StopOptions): Promise<void> {
  const { server, guard, disk, hosting, answering, api, membership, watch, seeing, tls } = rooms;
  const patience = AbortSignal.timeout(seconds * 1000);
  const cut = AbortSignal.any([patience, hurry]);
  seeing.events.add('draining');
  guard.drain();
  await server.drain({
    patience: seconds * 1000,
    signal: hurry,
    // Sessions of others on the lent layers; a host that serves nobody is done at once.
    until: hosting.drain(cut),
    onProgress: (requests) => {
      const sessions = hosting.host?.status().sessions ?? 0;
      if (requests + sessions > 0) log.info('Finishing what runs.', { requests, sessions });
    },
  });
  // Requests are over; nothing of what follows takes long, and nothing may hold up the end.
  const closed = server.close();
  await within(GOODBYE_MS, api?.close());
  await within(GOODBYE_MS, answering.answers.close());
  await within(GOODBYE_MS, hosting.close(REASON));
  await within(GOODBYE_MS, seeing.close());
  await within(GOODBYE_MS, membership.close(REASON));
  watch.close();
  tls?.source.close();
  disk.close();
  guard.close();
  await closed;
  log.info('Stopped.');
}

/** Waits for a job, but not longer than that. A job that fails is over as well: the process ends. */
async function within(ms: number, job: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([job?.catch(() => {}), late]);
  clearTimeout(timer);
}

/**
 * The first signal stops in good order, the second cuts that short, the third ends the process.
 * @returns when it has stopped
 */
export function onSignals(log: Log, stop: (hurry: AbortSignal) => Promise<void>): Promise<void> {
  const hurry = new AbortController();
  return new Promise((resolve) => {
    let signals = 0;
    const handle = () => {
      signals++;
      if (signals === 1) {
        log.info('Stopping. What runs is finished first; a second signal stops at once.');
        stop(hurry.signal).then(resolve, resolve);
      } else if (signals === 2) hurry.abort(new Error('Stopped at once.'));
      else process.exit(1);
    };
    process.on('SIGINT', handle);
    process.on('SIGTERM', handle);
  });
}
