import type { FloatBits } from './float-tensor.ts';
import type { KvCache } from './runner.ts';

/** Positions by which a cache grows at least; then by half, so that copying stays linear in the length. */
const FIRST_POSITIONS = 64;

/** Keys and values in JavaScript memory: per layer two arrays [capacity, row], of which `length` rows are held. */
export class SplitCache implements KvCache {
  length = 0;
  /** Changes at every write that did not come from a batch: a batch's copy is stale then. */
  generation = 0;
  /** K and V alternately, layer by layer. */
  readonly arrays: FloatBits[];
  private capacity = 0;

  /**
   * @param layers layers of the slice
   * @param row elements of one position of K or of V
   */
  constructor(
    layers: number,
    readonly row: number,
    private readonly allocate: (length: number) => FloatBits,
  ) {
    this.arrays = Array.from({ length: 2 * layers }, () => allocate(0));
  }

  get bytes(): number {
    return this.arrays.reduce((sum, array) => sum + array.byteLength, 0);
  }

  reserve(positions: number): void {
    if (positions <= this.capacity) return;
    this.capacity = Math.max(positions, FIRST_POSITIONS, Math.ceil(this.capacity * 1.5));
    this.arrays.forEach((old, index) => {
      const grown = this.allocate(this.capacity * this.row);
      grown.set(old.subarray(0, this.length * this.row));
      this.arrays[index] = grown;
    });
  }

  truncate(length: number): void {
    this.length = Math.min(this.length, length);
    this.generation++;
  }

  dispose(): void {
    this.length = 0;
    this.capacity = 0;
    this.arrays.fill(this.allocate(0));
  }
}

/**
 * The caches of sessions that decode together, side by side: per layer two arrays [capacity, sessions, row].
 * It is a copy that follows its members while they only decode together; anything else makes it stale.
 */
export class BatchCache {
  readonly arrays: FloatBits[];
  private readonly generations: number[];
  private readonly lengths: number[];
  private readonly capacity: number;

  constructor(
    readonly members: readonly SplitCache[],
    private readonly allocate: (length: number) => FloatBits,
  ) {
    this.lengths = members.map((member) => member.length);
    this.generations = members.map((member) => member.generation);
    this.capacity = Math.ceil(Math.max(...this.lengths) * 1.25) + FIRST_POSITIONS;
    const { row, arrays } = members[0]!;
    const stride = members.length * row;
    this.arrays = arrays.map((_, index) => {
      const joined = this.allocate(this.capacity * stride);
      members.forEach((member, at) => {
        const source = member.arrays[index]!;
        for (let position = 0; position < member.length; position++)
          joined.set(source.subarray(position * row, (position + 1) * row), position * stride + at * row);
      });
      return joined;
    });
  }

  /** Whether this copy still holds exactly what these members hold, with room for one more position. */
  follows(members: readonly SplitCache[]): boolean {
    return (
      members.length === this.members.length &&
      members.every(
        (member, at) =>
          member === this.members[at] &&
          member.generation === this.generations[at] &&
          member.length === this.lengths[at] &&
          member.length < this.capacity,
      )
    );
  }

  /** Notes the row that was just appended to member `at`, array `index`. */
  append(at: number, index: number, values: FloatBits): void {
    const { row } = this.members[0]!;
    this.arrays[index]!.set(values, (this.lengths[at]! * this.members.length + at) * row);
  }

  /** Every member has grown by one position. */
  advance(): void {
    for (let at = 0; at < this.lengths.length; at++) this.lengths[at]! += 1;
  }
}
