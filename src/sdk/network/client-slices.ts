import type { Manifest, Slice } from '../../model/index.ts';
import { FRONT_LAYERS } from '../../swarm/index.ts';

/**
 * The two ends of a model that a private client runs itself; null for a model with too few layers to leave one to
 * others.
 */
export function clientSlices({ config }: Manifest): { front: Slice; head: Slice } | null {
  const end = Math.min(FRONT_LAYERS, config.layers - 1);
  if (end < 1) return null;
  return {
    front: { start: 0, end, embed: true, head: false },
    head: { start: config.layers, end: config.layers, embed: false, head: true },
  };
}
