import type { ThreadMessage } from '../chat/types.ts';

/** How a peer is named in the picture. */
export function shortId(peer: string): string {
  return peer.slice(-8);
}

/**
 * Peers of this tab's newest answer over the network, in the order in which it went through them, this tab at both
 * ends; empty when there is none.
 */
export function lastRoute(messages: readonly ThreadMessage[], self: string | null): string[] {
  const answer = messages.findLast(({ happened }) => happened?.route === 'network');
  if (!answer?.happened || self === null) return [];
  const hops = answer.happened.hops.map(({ peer, path }) => (path === 'local' ? self : shortId(peer)));
  const way = [self, ...hops, self];
  return way.filter((id, i) => id !== way[i - 1]);
}
