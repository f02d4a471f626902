import type { TokenizerSpec } from '../model/index.ts';
import { ChatError } from './errors.ts';
import type { MergeRule } from './merge.ts';

/** Longest token that a score-based vocabulary is asked for; see MAX_TOKEN_LENGTH of model/tokenizer. */
const MAX_JOINED = 4096;
/** Radix of a pair of ids; ids stay below it, and a pair below 2^52. */
const PAIR = 2 ** 26;

/** The `model` of a tokenizer.json, with `scores` for vocabularies that merge by score. */
interface BpeModel {
  vocab: Record<string, number>;
  merges: readonly (string | readonly [string, string])[];
  scores?: readonly number[];
  byte_fallback?: boolean;
  ignore_merges?: boolean;
  unk_token?: string | null;
  fuse_unk?: boolean;
}

/**
 * Token texts and ids, and the rule by which pieces merge. Pieces that are no token (a rare character, a step on the
 * way to a token) get ids from `size` on.
 */
export class Vocabulary implements MergeRule {
  /** One more than the largest token id. */
  readonly size: number;
  readonly byteFallback: boolean;
  readonly ignoreMerges: boolean;
  readonly fuseUnknown: boolean;
  readonly unknown: number | null;
  readonly #ids = new Map<string, number>();
  readonly #texts: string[] = [];
  /** Pair of ids → rank. */
  readonly #ranks = new Map<number, number>();
  /** By rank for merges; by pair for scores. */
  readonly #joined: number[] = [];
  readonly #joinedByPair: Map<number, number> | null;
  readonly #rankOfId: Int32Array | null = null;

  /** @throws ChatError `tokenizer` when the spec is not a byte-pair model */
  constructor(spec: TokenizerSpec) {
    const model = spec.tokenizer.model as BpeModel | undefined;
    if (!model?.vocab || !Array.isArray(model.merges)) {
      throw new ChatError('tokenizer', 'This tokenizer is not a byte-pair model. Choose another model file.');
    }
    let size = 0;
    for (const [text, id] of Object.entries(model.vocab)) {
      this.#ids.set(text, id);
      this.#texts[id] = text;
      size = Math.max(size, id + 1);
    }
    const unknown = model.unk_token ? this.#ids.get(model.unk_token) : undefined;
    const added = (spec.tokenizer.added_tokens ?? []) as { id: number; content: string; special: boolean }[];
    for (const token of added) {
      // A control token never comes out of merging, as in SentencePiece: text that someone types stays text.
      if (token.special) this.#ids.delete(token.content);
      else if (!this.#ids.has(token.content)) this.#ids.set(token.content, token.id);
      this.#texts[token.id] ??= token.content;
      size = Math.max(size, token.id + 1);
    }
    this.size = size;
    this.#texts.length = size;
    this.byteFallback = model.byte_fallback === true;
    this.ignoreMerges = model.ignore_merges === true;
    this.fuseUnknown = model.fuse_unk === true;
    this.unknown = unknown ?? null;
    if (model.scores) {
      this.#rankOfId = ranksByScore(model.scores, size);
      this.#joinedByPair = new Map();
    } else {
      this.#joinedByPair = null;
      this.#readMerges(model.merges);
    }
  }

  #readMerges(merges: BpeModel['merges']): void {
    for (let rank = 0; rank < merges.length; rank++) {
      const merge = merges[rank]!;
      // From 1: a piece may itself begin with a space.
      const space = typeof merge === 'string' ? merge.indexOf(' ', 1) : 0;
      const left = typeof merge === 'string' ? merge.slice(0, space) : merge[0];
      const right = typeof merge === 'string' ? merge.slice(space + 1) : merge[1];
      this.#joined.push(this.symbol(left + right));
      const pair = this.symbol(left) * PAIR + this.symbol(right);
      if (!this.#ranks.has(pair)) this.#ranks.set(pair, rank);
    }
  }

  /** The id of a token that text may become, or undefined. */
  id(text: string): number | undefined {
    const id = this.#ids.get(text);
    return id !== undefined && id < this.size ? id : undefined;
  }

  /** The text of a token as the vocabulary writes it, or undefined. */
  text(id: number): string | undefined {
    return this.#texts[id];
  }

  symbol(piece: string): number {
    let id = this.#ids.get(piece);
    if (id === undefined) {
      id = this.#texts.length;
      this.#ids.set(piece, id);
      this.#texts.push(piece);
    }
    return id;
  }

  rank(left: number, right: number): number {
    const pair = left * PAIR + right;
    const known = this.#ranks.get(pair);
    if (known !== undefined) return known;
    if (!this.#rankOfId || !this.#joinedByPair) return -1;
    const joined = this.#textOfPair(left, right);
    const rank = joined === undefined ? -1 : this.#rankOfId[joined]!;
    // Pairs met in text are remembered, up to a bound that a long prompt does not reach.
    if (this.#ranks.size < 1 << 18) this.#ranks.set(pair, rank);
    if (joined !== undefined && this.#joinedByPair.size < 1 << 18) this.#joinedByPair.set(pair, joined);
    return rank;
  }

  join(left: number, right: number): number {
    const pair = left * PAIR + right;
    if (!this.#joinedByPair) return this.#joined[this.#ranks.get(pair)!]!;
    return this.#joinedByPair.get(pair) ?? this.#textOfPair(left, right)!;
  }

  #textOfPair(left: number, right: number): number | undefined {
    const a = this.#texts[left]!;
    const b = this.#texts[right]!;
    return a.length + b.length > MAX_JOINED ? undefined : this.id(a + b);
  }
}

/** Best score first; equal scores share a rank, so that the leftmost pair joins first, as in llama.cpp. */
function ranksByScore(scores: readonly number[], size: number): Int32Array {
  const distinct = [...new Set(scores)].sort((a, b) => b - a);
  const rankOf = new Map(distinct.map((score, rank) => [score, rank]));
  return Int32Array.from({ length: size }, (_, id) => rankOf.get(scores[id]!) ?? distinct.length);
}
