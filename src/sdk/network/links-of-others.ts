import type { Greeted } from './greet.ts';
import type { LinkOfOthers } from './types.ts';

/** Links that are shown: more say nothing to a person. One peer can tell of 64. */
const MOST_LINKS = 256;

/**
 * Links between other peers, by what their ends say: each once, whoever of the two told of it, in an order that does
 * not change from one look to the next. What others say of links to this very peer is left out: it has its own word
 * for these.
 */
export function linksOfOthers(self: string, greeted: readonly Greeted[]): LinkOfOthers[] {
  const found = new Map<string, LinkOfOthers>();
  for (const { peer, hello } of greeted) {
    for (const { peer: other, path, round_trip_ms: roundTripMs } of hello.links ?? []) {
      if (other === self || other === peer) continue;
      const [from, to] = peer < other ? [peer, other] : [other, peer];
      const key = `${from} ${to}`;
      const known = found.get(key);
      if (known) known.roundTripMs ??= roundTripMs;
      else if (found.size < MOST_LINKS) found.set(key, { from, to, path, roundTripMs });
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, link]) => link);
}
