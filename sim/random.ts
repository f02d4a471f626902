/** A stream of numbers that depends on its seed and name alone: adding a draw to one part of a world moves no other. */
export class Random {
  #state: number;

  constructor(seed: number, name = '') {
    let state = mix(seed >>> 0, Math.floor(seed / 2 ** 32));
    for (let i = 0; i < name.length; i++) state = mix(state, name.charCodeAt(i));
    this.#state = state;
  }

  /** 32 random bits, unsigned. */
  bits(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    return mix(this.#state, 0x85ebca6b);
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (this.bits() / 2 ** 32) * (high - low);
  }

  /** An integer in [low, high], both included. */
  integer(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  chance(probability: number): boolean {
    return this.between(0, 1) < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.integer(0, items.length - 1)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  shuffled<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }
}

/** Folds one number into 32 bits of hash; the finaliser is MurmurHash3's. */
export function mix(hash: number, value: number): number {
  let z = (Math.imul(hash ^ 0x9e3779b9, 0x01000193) ^ Math.imul(value | 0, 0xcc9e2d51)) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
