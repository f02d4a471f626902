import type { NetworkSnapshot } from '../../sdk/early.ts';

/** What hosts had computed at one time: positions by peer and slice, with the share of the model that each is. */
export interface Computed {
  /** Milliseconds from any fixed start. */
  at: number;
  slices: Map<string, { positions: number; share: number }>;
}

export function computedIn({ peers, coverage }: NetworkSnapshot, at: number): Computed {
  const slices: Computed['slices'] = new Map();
  for (const { peer, offers } of peers) {
    for (const { cid, start, end, positions } of offers) {
      const model = coverage.find((one) => one.cid === cid);
      const layers = (model?.layers.length ?? 0) - (model?.clientLayers ?? 0);
      if (layers > 0) {
        slices.set(`${peer} ${cid} ${start}`, { positions, share: Math.min(1, (end - start) / layers) });
      }
    }
  }
  return { at, slices };
}

/**
 * Tokens a second that went through the whole model between two looks, prompts included: what a slice computed counts
 * by its share of the layers. Null without two looks.
 */
export function tokensPerSecond(before: Computed | null, now: Computed): number | null {
  if (!before || now.at <= before.at) return null;
  let sum = 0;
  for (const [key, { positions, share }] of now.slices) {
    const then = before.slices.get(key);
    // Less than before: it was loaded anew.
    if (then) sum += Math.max(0, positions - then.positions) * share;
  }
  return (sum * 1000) / (now.at - before.at);
}
