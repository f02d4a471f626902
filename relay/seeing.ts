import { systemClock } from '../src/swarm/index.ts';
import type { RelaySwarm } from '../src/swarm/node.ts';
import type { RelayConfig } from './config/types.ts';
import type { DiskWatch } from './guard/disk.ts';
import type { Guard } from './guard/guard.ts';
import type { Hosting } from './hosting/hosting.ts';
import type { Membership } from './membership.ts';
import type { Preparation } from './preparation.ts';
import type { Shelf } from './shelf.ts';
import {
  createMeters,
  gaugesOf,
  keepCounters,
  type Log,
  type Meters,
  NetworkWatch,
  RecentEvents,
  Survey,
  type Watch,
  watchLoopDelay,
  watchRoutes,
} from './watch/index.ts';

interface FirstRooms {
  log: Log;
  shelf: Shelf;
  membership: Membership;
  version: string;
  agent: string;
}

/** Rooms that need the meters themselves, and so come later. */
interface LaterRooms {
  guard: Guard;
  disk: DiskWatch;
  hosting: Hosting;
  preparation: Preparation;
  api: () => { running: number; waiting: number };
}

/** What the relay shows of itself, put together from its rooms. */
export interface Seeing {
  meters: Meters;
  events: RecentEvents;
  routes(rooms: LaterRooms): Watch;
  /** Looks for hosts from now on. */
  begin(swarm: RelaySwarm): void;
  /** Writes the counters a last time. */
  close(): Promise<void>;
}

export async function beginSeeing(config: RelayConfig, rooms: FirstRooms): Promise<Seeing> {
  const { log, shelf, membership, version, agent } = rooms;
  let later: LaterRooms | null = null;
  let survey: Survey | null = null;
  const events = new RecentEvents();
  const loopDelay = watchLoopDelay(systemClock);
  const draining = () => later?.guard.draining ?? false;
  const answers = () => later?.api() ?? { running: 0, waiting: 0 };
  const own = () => (later?.hosting.health().slices ?? []).filter(({ announced }) => announced);
  const started = new Date();
  const metering = createMeters({
    gauges: gaugesOf({
      version,
      started,
      draining,
      backend: () => [...new Set(own().map(({ backend }) => backend))].join(' ') || 'none',
      loopDelay: () => loopDelay.seconds(),
      answers,
      host: () => later?.hosting.host?.status() ?? null,
      swarm: () => membership.swarm,
      joined: () => membership.swarm?.counts().joined ?? 0,
      models: () => shelf.models(),
      memoryLimit: () => later?.guard.memory.status().limit ?? null,
    }),
    onCount: (name, labels, by) => events.counted(name, labels, by),
  });
  const counters = await keepCounters({ data: config.data, meters: metering, clock: systemClock, log });
  const network = new NetworkWatch({
    version,
    url: config.url,
    draining,
    models: () => shelf.models(),
    swarm: () => membership.swarm,
    survey: () => survey?.hosts() ?? [],
    own: () => ({
      slices: own().map(({ model: cid, start, end }) => ({ cid, start, end })),
      sessions: later?.hosting.host?.status().sessions ?? 0,
    }),
    joined: () => membership.swarm?.joined() ?? [],
    answers,
    meters: metering,
    events,
  });
  events.add('started');
  return {
    meters: metering.meters,
    events,
    routes(given) {
      later = given;
      return watchRoutes({
        state: () => network.state(),
        meters: metering,
        health: () => healthOf(given, shelf, membership),
        draining,
        clock: systemClock,
        log,
      });
    },
    begin({ transport, directory, clock }) {
      survey = new Survey({ transport, directory, clock, agent, models: () => shelf.models() });
      survey.start();
    },
    async close() {
      survey?.stop();
      loopDelay.stop();
      await counters.stop();
    },
  };
}

/** For load balancers and the status command: numbers and states, and nobody's name. */
function healthOf(
  { guard, disk, hosting, preparation, api }: LaterRooms,
  shelf: Shelf,
  membership: Membership,
): Record<string, unknown> {
  const { state, rss, limit } = guard.memory.status();
  const { running, waiting } = api();
  return {
    models: shelf.models().length,
    preparing: preparation.health(),
    network: membership.health(),
    hosting: hosting.health(),
    memory: { state, resident: rss, limit: Math.round(limit) },
    disk: { free: disk.free, tight: disk.tight },
    api: { running, waiting },
  };
}
