import type { ModelEntry, NetworkSnapshot, Privacy } from '../../sdk/early.ts';

/** How much of a model this browser keeps. */
export function keptOf({ cached, kept }: ModelEntry): 'whole' | 'part' | 'none' {
  if (cached) return 'whole';
  return kept > 0 ? 'part' : 'none';
}

/** Whether the network can answer with a model; `held` and `of` count the layers that a client needs of others. */
export type Covered =
  | { kind: 'whole' | 'part' | 'none'; held: number; of: number }
  | { kind: 'asking' | 'offline' };

/** @param privacy in private mode a client runs the first layers itself */
export function coveredBy(cid: string, network: NetworkSnapshot, privacy: Privacy): Covered {
  if (network.state === 'offline') return { kind: 'offline' };
  if (network.state !== 'online') return network.error ? { kind: 'offline' } : { kind: 'asking' };
  const coverage = network.coverage.find((one) => one.cid === cid);
  if (!coverage) return { kind: 'none', held: 0, of: 0 };
  const needed = privacy === 'private' ? coverage.layers.slice(coverage.clientLayers) : coverage.layers;
  const held = needed.filter(({ holders }) => holders.length > 0).length;
  const kind = held === needed.length ? 'whole' : held > 0 ? 'part' : 'none';
  return { kind, held, of: needed.length };
}
