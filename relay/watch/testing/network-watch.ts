import { CID } from '../../../src/host/testing/hand-client.ts';
import { LAYERS } from '../../../src/host/testing/world.ts';
import { createMeters } from '../meters.ts';
import { NetworkWatch, type WatchedSwarm } from '../network-watch.ts';
import { RecentEvents } from '../recent.ts';
import type { SeenHost } from '../survey.ts';

export const MODELS = [{ id: 'tiny', cid: CID, name: 'Tiny', layers: LAYERS }];

/** A peer id of the usual length. Its last eight characters, by which a state names a peer, are its own too. */
export const id = (name: string) => `12D3KooW${name.padEnd(36, '0')}${name.slice(0, 8).padStart(8, '1')}`;

/** Slices of the one model, with layers `[start, end)`. */
export const slices = (...ranges: [number, number][]) =>
  ranges.map(([start, end]) => ({ cid: CID, start, end }));

/** What a watch sees with these hosts and this node. */
export function watchOf(survey: () => readonly SeenHost[], swarm: WatchedSwarm | null = null) {
  const meters = createMeters({ gauges: {} });
  const events = new RecentEvents();
  const watch = new NetworkWatch({
    version: '0.1.0',
    url: null,
    draining: () => false,
    models: () => MODELS,
    swarm: () => swarm,
    survey,
    own: () => ({ slices: slices([0, 12]), sessions: 3 }),
    joined: () => [{ peer: id('other'), state: 'connected' }],
    answers: () => ({ running: 1, waiting: 0 }),
    meters,
    events,
  });
  return { watch, meters, events };
}
