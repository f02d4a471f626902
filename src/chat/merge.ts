/**
 * Byte-pair merging. `@huggingface/tokenizers` has one too; ours works on ids in typed arrays because theirs takes 10 s
 * for 1 MB without a space (measured; here under 1 s), which a pasted file would make a frozen page, and because it cannot
 * merge by score as SentencePiece vocabularies in GGUF files need.
 */

/** What two neighbours become, and when. */
export interface MergeRule {
  /** The id of a character, or -1 when no rule knows it. */
  symbol(character: string): number;
  /** Priority of joining two neighbours (lower joins first, below 2^24), or -1 when they never join. */
  rank(left: number, right: number): number;
  /** The id they become. */
  join(left: number, right: number): number;
}

// A heap entry is rank × 2^26 + position: below 2^50, so it is exact in a double, and it orders by rank, then from
// left to right, as llama.cpp does.
const POSITIONS = 2 ** 26;

/** Longest word in characters that one call takes; the heap holds three entries per character (24 bytes each). */
export const MAX_WORD = POSITIONS - 1;

/**
 * Joins neighbours until no rule applies, in O(n log n).
 * @param symbols ids of the characters of one word; used as scratch space
 * @returns how many of `symbols` are left, at its front
 */
export function mergeSymbols(symbols: Int32Array, rule: MergeRule): number {
  const n = symbols.length;
  if (n < 2) return n;
  const next = new Int32Array(n);
  const previous = new Int32Array(n);
  // Every merge removes one symbol and adds at most two entries.
  const heap = new Heap(3 * n);
  for (let i = 0; i < n; i++) {
    next[i] = i + 1 < n ? i + 1 : -1;
    previous[i] = i - 1;
  }
  const add = (left: number, right: number) => {
    const rank = rule.rank(symbols[left]!, symbols[right]!);
    if (rank >= 0) heap.push(rank * POSITIONS + left);
  };
  for (let i = 0; i + 1 < n; i++) add(i, i + 1);

  for (let entry = heap.pop(); entry !== undefined; entry = heap.pop()) {
    const left = entry % POSITIONS;
    const right = next[left]!;
    // Stale when either neighbour has changed since: -2 marks a symbol that was joined to its left.
    if (right < 0 || rule.rank(symbols[left]!, symbols[right]!) !== Math.floor(entry / POSITIONS)) continue;
    symbols[left] = rule.join(symbols[left]!, symbols[right]!);
    const after = next[right]!;
    next[right] = -2;
    next[left] = after;
    if (after >= 0) {
      previous[after] = left;
      add(left, after);
    }
    const before = previous[left]!;
    if (before >= 0) add(before, left);
  }

  let count = 0;
  for (let i = 0; i >= 0; i = next[i]!) symbols[count++] = symbols[i]!;
  return count;
}

/** A binary heap of numbers, smallest first, of fixed capacity. */
class Heap {
  readonly #entries: Float64Array;
  #size = 0;

  constructor(capacity: number) {
    this.#entries = new Float64Array(capacity);
  }

  push(value: number): void {
    const entries = this.#entries;
    let i = this.#size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (entries[parent]! <= value) break;
      entries[i] = entries[parent]!;
      i = parent;
    }
    entries[i] = value;
  }

  pop(): number | undefined {
    if (this.#size === 0) return undefined;
    const entries = this.#entries;
    const top = entries[0]!;
    const last = entries[--this.#size]!;
    let i = 0;
    for (let child = 1; child < this.#size; child = 2 * i + 1) {
      if (child + 1 < this.#size && entries[child + 1]! < entries[child]!) child++;
      if (entries[child]! >= last) break;
      entries[i] = entries[child]!;
      i = child;
    }
    entries[i] = last;
    return top;
  }
}
