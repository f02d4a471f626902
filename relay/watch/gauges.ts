import { BLOCK_TOKENS, type HostStatus } from '../../src/host/index.ts';
import type { GaugeSources } from './meters.ts';
import type { WatchedSwarm } from './network-watch.ts';

/** The rooms that gauges are read from. Each answers at once; null where there is nothing yet. */
export interface GaugeRooms {
  version: string;
  started: Date;
  draining: () => boolean;
  /** Back ends of the engines, such as `node-cpu`; `none` where nothing is lent. */
  backend: () => string;
  /** Seconds. */
  loopDelay: () => number;
  answers: () => { running: number; waiting: number };
  host: () => HostStatus | null;
  swarm: () => WatchedSwarm | null;
  /** Other relays that are connected now. */
  joined: () => number;
  models: () => readonly { cid: string; name: string }[];
  /** Bytes above which work is refused; null when there is no such limit. */
  memoryLimit: () => number | null;
}

/** Every gauge of the table, read from the rooms when it is asked for. */
export function gaugesOf(rooms: GaugeRooms): GaugeSources {
  const counters = () => rooms.host()?.counters ?? null;
  const counts = () => rooms.swarm()?.counts() ?? null;
  return {
    shoal_answers_running: () => rooms.answers().running,
    shoal_queue_length: () => rooms.answers().waiting,
    shoal_host_sessions: () => rooms.host()?.sessions ?? null,
    shoal_host_free_tokens: () => freeTokens(rooms.host(), rooms.models()),
    shoal_host_opened_total: () => counters()?.opened ?? null,
    shoal_host_refused_total: () => counters()?.refused ?? null,
    shoal_host_failed_total: () => counters()?.failed ?? null,
    shoal_host_positions_total: () => {
      const now = counters();
      if (!now) return [];
      return [
        { labels: { kind: 'prefill' }, value: now.prefillPositions },
        { labels: { kind: 'decode' }, value: now.decodePositions },
        { labels: { kind: 'replayed' }, value: now.replayedPositions },
      ];
    },
    shoal_host_compute_seconds_total: () => {
      const now = counters();
      return now && now.computeMs / 1000;
    },
    shoal_host_shared_runs_total: () => counters()?.sharedRuns ?? null,
    shoal_host_bytes_total: () => {
      const now = counters();
      if (!now) return [];
      return [
        { labels: { direction: 'in' }, value: now.bytesIn },
        { labels: { direction: 'out' }, value: now.bytesOut },
      ];
    },
    shoal_peers: () => counts()?.peers ?? null,
    shoal_links: () => linksByPath(rooms.swarm()),
    shoal_reservations: () => counts()?.reservations ?? null,
    shoal_dht_records: () => counts()?.records ?? null,
    shoal_relays_joined: rooms.joined,
    shoal_relayed_bytes_total: () => counts()?.relayedBytes ?? null,
    shoal_models: () => rooms.models().length,
    shoal_memory_bytes: () => {
      const limit = rooms.memoryLimit();
      const resident = { labels: { kind: 'resident' }, value: process.memoryUsage.rss() };
      return limit === null ? [resident] : [resident, { labels: { kind: 'limit' }, value: limit }];
    },
    shoal_loop_delay_seconds: rooms.loopDelay,
    shoal_draining: () => (rooms.draining() ? 1 : 0),
    shoal_start_time_seconds: () => rooms.started.getTime() / 1000,
    shoal_info: () => [{ labels: { version: rooms.version, backend: rooms.backend() }, value: 1 }],
  };
}

/** A conversation needs every slice of the model, so the fullest one says how much there is room for. */
function freeTokens(host: HostStatus | null, models: readonly { cid: string; name: string }[]) {
  const names = new Map(models.map(({ cid, name }) => [cid, name]));
  const least = new Map<string, number>();
  for (const { cid, offer } of host?.slices ?? []) {
    const model = names.get(cid) ?? cid.slice(-8);
    least.set(model, Math.min(least.get(model) ?? Infinity, offer.free_blocks * BLOCK_TOKENS));
  }
  return [...least].map(([model, value]) => ({ labels: { model }, value }));
}

function linksByPath(swarm: WatchedSwarm | null) {
  const paths = new Map<string, number>();
  for (const { path } of swarm?.transport.links() ?? []) paths.set(path, (paths.get(path) ?? 0) + 1);
  return [...paths].map(([path, value]) => ({ labels: { path }, value }));
}
