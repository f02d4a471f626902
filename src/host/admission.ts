import type { AbortCode, Part, PeerAddress, SessionInit } from '../wire/index.ts';
import { layersInWords } from './layer-words.ts';
import type { Lending } from './lending.ts';
import { BLOCK_TOKENS, type HostLimits } from './types.ts';

/** Of the places, one in so many is never taken by this peer's own chains. */
const PLACES_FOR_OTHERS = 8;
/** Tokens of one usual conversation: room for that much is left to others by all but the first of the own sessions. */
const TOKENS_FOR_OTHERS = 512;

/**
 * Sessions that this very peer may have open at its own host. A relay answers for many clients over its loopback, so the
 * limit of a single peer does not fit it; but it must not shut out those for whom the slice is announced.
 */
export function ownPlaces({ sessions }: HostLimits): number {
  return Math.max(1, sessions - Math.max(1, Math.floor(sessions / PLACES_FOR_OTHERS)));
}

/** A `session_init` that says how frames come and go. */
export type RoutedInit = SessionInit & { prev: PeerAddress; next: PeerAddress };

export type Admission =
  | { lending: Lending; part: Part; init: RoutedInit; bytes: number }
  | { code: AbortCode; reason: string };

/**
 * Whether a session can be taken; when it can, the memory of its cache is reserved until `lending.parts.free(bytes)`.
 * The log of its outputs is not counted: it has at most `max_seq` rows, a small part of what the layers cache.
 * @param open sessions that are open now, and of them the asker's own; `self`: the asker is this very peer
 */
export function admit(
  init: SessionInit,
  lendings: Iterable<Lending>,
  open: { all: number; own: number; self?: boolean },
  limits: HostLimits,
): Admission {
  const { prev, next, max_seq: maxSeq, model_cid: cid } = init;
  const range = init.layer_range;
  const part: Part = { ...range, embed: init.embed ?? false, head: init.head ?? false };
  if (!prev || !next)
    return {
      code: 'failed',
      reason: 'A session needs a route: say who sends to this hop and who comes after it.',
    };
  const able = [...lendings].filter((lending) => lending.covers(cid, part));
  if (able.length === 0)
    return { code: 'no-slice', reason: `This peer does not lend ${layersInWords(range)} of this model.` };
  const lending = able.find(({ state }) => state === 'announcing');
  if (!lending) {
    const paused = able.some(({ state }) => state === 'paused');
    const why = paused ? 'This peer pauses' : 'This peer is about to leave';
    return { code: 'refused-draining', reason: `${why}; ask another.` };
  }
  const places = open.self ? ownPlaces(limits) : limits.sessionsPerPeer;
  if (open.all >= limits.sessions || open.own >= places)
    return { code: 'refused-full', reason: `${open.all} sessions are open here; ask another peer or later.` };
  if (maxSeq > lending.info.maxTokens)
    return {
      code: 'refused-full',
      reason: `A session holds ${lending.info.maxTokens} tokens here, not ${maxSeq}.`,
    };
  const blocks = Math.ceil(maxSeq / BLOCK_TOKENS);
  const bytes = blocks * BLOCK_TOKENS * lending.parts.kvBytesPerToken(part);
  // A slice for own use only has nobody else to leave room to.
  const shared = open.self && open.own > 0 && !lending.slice.ownUse;
  const spare = shared ? Math.ceil(Math.min(lending.info.maxTokens, TOKENS_FOR_OTHERS) / BLOCK_TOKENS) : 0;
  if ((spare > 0 && lending.parts.freeBlocks() < blocks + spare) || !lending.parts.reserve(bytes))
    return { code: 'refused-full', reason: 'The memory for caches is taken; ask another peer or later.' };
  return { lending, part, init: { ...init, prev, next }, bytes };
}
