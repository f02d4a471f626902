import type { Happened } from '../chat/types.ts';
import { formatBackend, formatMs, formatSpeed } from '../format.ts';
import type { Words } from '../words/index.ts';

/** One line on how an answer came about: `in this tab · 21 tokens/s · WebGPU`. */
export function lineOf(happened: Happened, words: Words['happened']['line']): string {
  const { timings, recoveries, backend, privacy } = happened;
  const parts = [routeOf(happened, words)];
  if (timings.tokens_per_second > 0) parts.push(formatSpeed(timings.tokens_per_second));
  if (happened.route === 'local') {
    if (backend) parts.push(formatBackend(backend));
    if (recoveries > 0) parts.push(words.lostGpu);
    return parts.join(' · ');
  }
  const { compute_ms_per_token: compute, wire_ms_per_token: wire } = timings;
  if (compute > 0 || wire > 0) parts.push(words.perToken(formatMs(compute), formatMs(wire)));
  if (recoveries > 0) parts.push(words.recoveries(recoveries));
  if (privacy === 'light') parts.push(words.light);
  return parts.join(' · ');
}

/** A part that this tab ran as a peer of its own is told apart. */
function routeOf({ route, hops }: Happened, words: Words['happened']['line']): string {
  if (route === 'local') return words.here;
  const own = hops.some(({ path }) => path === 'local');
  const others = hops.filter(({ path }) => path !== 'local');
  const relayed = others.filter(({ path }) => path === 'relayed').length;
  if (others.length > 0) return words.overPeers(others.length, relayed, own);
  return own ? words.hereAsPeer : words.network;
}
