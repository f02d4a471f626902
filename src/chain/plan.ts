import { BLOCK_TOKENS } from '../host/index.ts';
import { gridCells, type LayerRange, type LinkPath } from '../swarm/index.ts';
import type { Offer, Part, PeerAddress } from '../wire/index.ts';
import { rangesInWords } from './offers.ts';
import { ChainError } from './types.ts';

/** Tokens over which loading a part is spread when it is weighed against one that is loaded: a usual answer. */
const LOAD_SPREAD = 256;
/** Milliseconds that a hop costs besides its compute and its link: framing and queues. Decides between near equals. */
const HOP_MS = 1;
/** Milliseconds per layer of a peer that did not measure. */
const UNMEASURED_MS = 1;
/** A session that runs already slows a new one by about this much: decode steps are batched, but not for nothing. */
const LOAD_PER_SESSION = 0.5;
/**
 * Milliseconds per layer that a stand-in costs on top of everything, so that it gets as few layers as can be: more than
 * any peer that answers in time takes for a layer.
 */
const STAND_IN_MS = 1e6;
/** Steps of the exhaustive search, which only runs when the fast one finds nothing. */
const SEARCH_STEPS = 20_000;

/** A peer that answered, and what it lends. */
export interface Candidate {
  readonly address: PeerAddress;
  readonly path: LinkPath;
  readonly roundTripMs: number;
  readonly offers: readonly Offer[];
}

export interface PlannedHop extends Part {
  candidate: Candidate;
  offer: Offer;
}

export interface PlanRequest {
  /** What is to be covered. */
  range: LayerRange;
  /** Layers of the whole model. */
  layers: number;
  /** The first hop takes token ids; the last runs the head and samples. */
  embed: boolean;
  head: boolean;
  /** Tokens that the session may hold. */
  maxTokens: number;
  candidates: readonly Candidate[];
  /** Take exactly these peers in this order if that covers the range. */
  prefer?: readonly string[];
  /** Peers that are taken only for layers that nobody else can run. */
  standIn?: ReadonlySet<string>;
  /** Peers at both ends of the range, when it is a part of a chain that stands already. */
  neighbours?: { before: string; after: string };
  /** Whether the first cannot reach the second: they are not put next to each other. */
  apart?: (from: string, to: string) => boolean;
}

/** A chain up to some layer. A peer comes once: a session id stands for one part at each hop. */
interface Path {
  hop: PlannedHop;
  before: Path | null;
  cost: number;
  hops: number;
}

/**
 * The chain with the least time per decoded token: compute, weighed with what else runs there, loading, and the trips
 * between the hops.
 * @throws ChainError `no-cover` with the layers that nobody holds, `no-capacity` when holders are full
 */
export function planChain(request: PlanRequest): PlannedHop[] {
  const preferred = request.prefer?.length ? cheapest(request, request.prefer) : null;
  const found = preferred ?? cheapest(request) ?? anyCover(request);
  if (found) return found;
  throw whyNot(request);
}

/** Whether some plan exists. */
export function covers(request: PlanRequest): boolean {
  try {
    return planChain(request).length > 0;
  } catch {
    return false;
  }
}

/** Peers outside the chain that could take the place of a hop as it is, cheapest first. */
export function backupsFor(
  part: Part,
  request: PlanRequest,
  taken: ReadonlySet<string>,
  most: number,
): Candidate[] {
  const costed = request.candidates.flatMap((candidate) => {
    if (taken.has(candidate.address.peer)) return [];
    const costs = candidate.offers
      .filter((offer) => fits(request, offer, part))
      .map((offer) => costMs(request, candidate, offer, part) + candidate.roundTripMs);
    return costs.length > 0 ? [{ candidate, cost: Math.min(...costs) }] : [];
  });
  return costed
    .sort((a, b) => a.cost - b.cost)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** Whether a peer has exactly this part in memory; any other has to be loaded first. */
export function isLoaded(offer: Offer, { start, end, embed, head }: Part): boolean {
  return offer.loaded.some(
    (part) => part.start === start && part.end === end && part.embed === embed && part.head === head,
  );
}

function partOf({ range, layers, embed, head }: PlanRequest, start: number, end: number): Part {
  return {
    start,
    end,
    embed: embed && start === 0 && range.start === 0,
    head: head && end === layers && range.end === layers,
  };
}

function holds(offer: Offer, part: Part): boolean {
  return (
    !offer.draining &&
    offer.start <= part.start &&
    offer.end >= part.end &&
    (offer.embed || !part.embed) &&
    (offer.head || !part.head)
  );
}

function fits({ maxTokens }: PlanRequest, offer: Offer, part: Part): boolean {
  const blocks = Math.ceil(maxTokens / BLOCK_TOKENS);
  return holds(offer, part) && offer.max_tokens >= maxTokens && offer.free_blocks >= blocks;
}

function computeMs(offer: Offer, part: Part): number {
  const layers = part.end - part.start;
  const compute = layers * (offer.decode_ms || UNMEASURED_MS) * (1 + LOAD_PER_SESSION * offer.sessions);
  return compute + (isLoaded(offer, part) ? 0 : (layers * offer.load_ms) / LOAD_SPREAD);
}

function costMs({ standIn }: PlanRequest, { address }: Candidate, offer: Offer, part: Part): number {
  const last = standIn?.has(address.peer) ? STAND_IN_MS * (part.end - part.start) : 0;
  return computeMs(offer, part) + last;
}

/** The trip between two hops is not measured before it is made: each is at most about as far as the client from it. */
function tripMs(from: Candidate | null, to: Candidate | null): number {
  return Math.max(from?.roundTripMs ?? 0, to?.roundTripMs ?? 0) / 2;
}

/** Whether frames get from the hop before to this peer, and from it to whoever stands behind, as far as is known. */
function reaches(
  { neighbours, apart, range }: PlanRequest,
  path: Path | null,
  peer: string,
  end: number,
): boolean {
  if (!apart) return true;
  const before = path?.hop.candidate.address.peer ?? neighbours?.before;
  if (before !== undefined && apart(before, peer)) return false;
  return !(neighbours && end === range.end && apart(peer, neighbours.after));
}

/** Layers at which one hop may end and the next begin. */
function cutPoints({ range, layers, candidates }: PlanRequest): number[] {
  const points = new Set([range.start, range.end]);
  const add = (at: number) => {
    if (at > range.start && at < range.end) points.add(at);
  };
  for (const { offers } of candidates)
    for (const part of offers.flatMap((offer) => [offer, ...offer.loaded])) {
      add(part.start);
      add(part.end);
    }
  for (const { start } of gridCells(layers)) add(start);
  return [...points].sort((a, b) => a - b);
}

/** Shortest path over the cut points; of the paths to a point, the best for each last peer is kept. */
function cheapest(request: PlanRequest, order?: readonly string[]): PlannedHop[] | null {
  const { range, candidates } = request;
  const points = cutPoints(request);
  const best = new Map<number, Map<string, Path>>();
  const extend = (before: Path | null, start: number) => {
    for (const candidate of candidates) {
      const { peer } = candidate.address;
      if (order && order[before?.hops ?? 0] !== peer) continue;
      if (uses(before, peer)) continue;
      for (const offer of candidate.offers) {
        for (const end of points) {
          if (end <= start) continue;
          const part = partOf(request, start, end);
          if (!fits(request, offer, part) || !reaches(request, before, peer, end)) continue;
          const trip = tripMs(before?.hop.candidate ?? null, candidate);
          const home = end === range.end ? tripMs(candidate, null) : 0;
          const cost = (before?.cost ?? 0) + trip + home + HOP_MS + costMs(request, candidate, offer, part);
          const paths = best.get(end) ?? new Map<string, Path>();
          best.set(end, paths);
          if (cost < (paths.get(peer)?.cost ?? Infinity))
            paths.set(peer, {
              hop: { ...part, candidate, offer },
              before,
              cost,
              hops: (before?.hops ?? 0) + 1,
            });
        }
      }
    }
  };
  extend(null, range.start);
  for (const point of points)
    if (point < range.end) for (const path of best.get(point)?.values() ?? []) extend(path, point);
  let shortest: Path | null = null;
  for (const path of best.get(range.end)?.values() ?? []) {
    if (order && path.hops !== order.length) continue;
    if (!shortest || path.cost < shortest.cost) shortest = path;
  }
  return shortest && hopsOf(shortest);
}

/**
 * Any chain at all, by trying: the fast search may use up a peer early that is needed later, because it keeps only the
 * best path to each point.
 */
function anyCover(request: PlanRequest): PlannedHop[] | null {
  const { range, candidates } = request;
  const points = cutPoints(request).reverse();
  let steps = 0;
  const search = (before: Path | null, start: number): Path | null => {
    for (const end of points) {
      if (end <= start) break;
      const part = partOf(request, start, end);
      for (const candidate of candidates) {
        if (steps++ > SEARCH_STEPS) return null;
        const { peer } = candidate.address;
        const offer = candidate.offers.find((one) => fits(request, one, part));
        if (!offer || uses(before, peer) || !reaches(request, before, peer, end)) continue;
        const path: Path = { hop: { ...part, candidate, offer }, before, cost: 0, hops: 0 };
        const whole = end === range.end ? path : search(path, end);
        if (whole) return whole;
      }
    }
    return null;
  };
  const found = search(null, range.start);
  return found && hopsOf(found);
}

function uses(path: Path | null, peer: string): boolean {
  for (let at = path; at; at = at.before) if (at.hop.candidate.address.peer === peer) return true;
  return false;
}

function hopsOf(path: Path): PlannedHop[] {
  const hops: PlannedHop[] = [];
  for (let at: Path | null = path; at; at = at.before) hops.unshift(at.hop);
  return hops;
}

/** Layers of the range that no candidate holds, whether it has room or not. */
export function missingLayers(request: PlanRequest): LayerRange[] {
  const missing: LayerRange[] = [];
  for (let layer = request.range.start; layer < request.range.end; layer++) {
    const part = partOf(request, layer, layer + 1);
    if (request.candidates.some(({ offers }) => offers.some((offer) => holds(offer, part)))) continue;
    const last = missing.at(-1);
    if (last?.end === layer) last.end++;
    else missing.push({ start: layer, end: layer + 1 });
  }
  return missing;
}

function whyNot(request: PlanRequest): ChainError {
  const missing = missingLayers(request);
  if (missing.length > 0) {
    return new ChainError(
      'no-cover',
      `Nobody holds ${rangesInWords(missing)}. Share them from another device, or try again when more are there.`,
      { missing },
    );
  }
  if (!anyCover({ ...request, maxTokens: 0, apart: undefined })) {
    return new ChainError(
      'no-cover',
      'Every layer is held, but too few peers hold them: one peer would have to be in the chain twice. ' +
        'Share a part of the model from another device.',
    );
  }
  return new ChainError(
    'no-capacity',
    `Those who hold ${rangesInWords([request.range])} have no room for a session of ${request.maxTokens} tokens. ` +
      'Try again in a while, start a shorter chat, or share the model from another device.',
  );
}
