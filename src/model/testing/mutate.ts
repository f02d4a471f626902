/** A seeded generator: the same run every time, so that a failure can be repeated. Mulberry32. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number in `[0, n)`. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

const EXTREMES = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0xffffn,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 40n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** One to four changes: flipped bytes, extreme numbers, cuts, repeats. The result may be shorter or longer. */
export function mutateBytes(original: Uint8Array, reach: number, dice: Dice): Uint8Array {
  let bytes = original.slice();
  for (let changes = 1 + dice.below(4); changes > 0; changes--) {
    const at = dice.below(Math.max(1, Math.min(reach, bytes.length - 8)));
    const view = new DataView(bytes.buffer);
    const kind = dice.below(12);
    if (kind < 5) bytes[at] = dice.below(256);
    else if (kind < 7 && at + 8 <= bytes.length) view.setBigUint64(at, dice.pick(EXTREMES), true);
    else if (kind < 9 && at + 4 <= bytes.length) view.setUint32(at, dice.below(2 ** 32), true);
    else if (kind === 9) bytes = bytes.slice(0, at);
    else if (kind === 10) bytes.copyWithin(at, dice.below(bytes.length), dice.below(bytes.length));
    else bytes = spliced(bytes, at, bytes.subarray(at, at + dice.below(64)));
    if (bytes.length < 9) break;
  }
  return bytes;
}

function spliced(bytes: Uint8Array, at: number, inserted: Uint8Array): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(bytes.length + inserted.length);
  grown.set(bytes.subarray(0, at));
  grown.set(inserted, at);
  grown.set(bytes.subarray(at), at + inserted.length);
  return grown;
}

const JUNK: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1,
  0.5,
  513,
  2 ** 31,
  2 ** 53,
  1e308,
  -0,
  '',
  'x',
  '../..',
  '__proto__',
  'F64',
  [],
  {},
  [[]],
  [1e300, 1e300],
  [0, 1],
  'ffff',
];

/** One to three changes inside a copy of a JSON value: junk, a removed, doubled or moved part. */
export function mutateJson(original: unknown, dice: Dice): unknown {
  const root = { value: structuredClone(original) };
  for (let changes = 1 + dice.below(3); changes > 0; changes--) {
    let parent: object = root;
    let key = 'value';
    for (;;) {
      const inner: unknown = Reflect.get(parent, key);
      if (typeof inner !== 'object' || inner === null || dice.below(6) === 0) break;
      const keys = Object.keys(inner);
      if (keys.length === 0) break;
      parent = inner;
      key = dice.pick(keys);
    }
    const kind = dice.below(8);
    if (kind < 5) Reflect.set(parent, key, structuredClone(dice.pick(JUNK)));
    else if (kind === 5) Reflect.deleteProperty(parent, key);
    else if (kind === 6 && Array.isArray(parent)) parent.push(structuredClone(Reflect.get(parent, key)));
    else Reflect.set(parent, dice.pick(Object.keys(parent)), structuredClone(Reflect.get(parent, key)));
  }
  return root.value;
}
