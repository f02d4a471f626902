import type { Happened } from '../chat/types.ts';
import { formatBackend, formatLayers, formatMs, formatPeer } from '../format.ts';
import type { Words } from '../words/index.ts';
import { isStep, msOf, type Who } from './timeline.ts';

type TimelineWords = Words['happened']['timeline'];
type Entry = Happened['trace'][number];

/** `850 ms`, `1.2 s`, `2 min 5 s`. */
export function formatTime(ms: number): string {
  if (ms < 1_000) return formatMs(ms);
  const seconds = ms / 1_000;
  if (seconds < 99.5) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Who a lane is. The hops are those at the end of the answer; one that was replaced before has their place. */
export function nameOf(who: Who, happened: Happened, words: TimelineWords): string {
  const { hops, backend } = happened;
  const name = shortNameOf(who, words);
  if (who === 'own') return backend ? words.ownBackend(formatBackend(backend)) : name;
  const hop = who === 'wire' ? undefined : hops[who];
  if (!hop) return name;
  const layers = `${formatLayers(hop)}, ${formatBackend(hop.backend)}`;
  if (hop.path === 'local') return words.hopOfTab(name, layers);
  const whole = words.hop(name, formatPeer(hop.peer), layers);
  return hop.path === 'relayed' ? `${whole}, ${words.relayed}` : whole;
}

export function shortNameOf(who: Who, words: TimelineWords): string {
  if (who === 'own') return words.own;
  return who === 'wire' ? words.wire : words.hopShort(who + 1);
}

export function whatWasLost(entry: Extract<Entry, { kind: 'lost' }>, words: TimelineWords): string {
  return entry.peer === null ? words.gpu : words.peer(formatPeer(entry.peer), formatLayers(entry));
}

/** One entry of the trace in words. */
export function stepText(index: number, happened: Happened, words: TimelineWords): string {
  const { trace } = happened;
  const entry = trace[index];
  if (!entry) return '';
  if (entry.kind === 'opened') return words.stepOpened(formatTime(entry.ms));
  if (entry.kind === 'lost') return words.stepLost(whatWasLost(entry, words));
  if (entry.kind === 'recovered') return words.stepRecovered(formatTime(entry.ms));
  const token = trace.slice(0, index + 1).filter(isStep).length;
  const step =
    entry.kind === 'prefill'
      ? words.stepPrefill(entry.positions, formatTime(entry.ms))
      : words.stepToken(token, formatTime(entry.ms));
  const who: Who[] = ['own', ...entry.hops_ms.keys(), 'wire'];
  const parts = who
    .filter((one) => msOf(entry, one) > 0)
    .map((one) => words.stepPart(shortNameOf(one, words), formatMs(msOf(entry, one))));
  return words.stepParts(step, parts);
}
