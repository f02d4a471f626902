import { mix } from './random.ts';

/** Values of a row. The first two are not mixed: the position, and how many layers the row has been through. */
export const WIDTH = 8;
export const VOCABULARY = 64;

/**
 * A model of integers below 2^24, which float32 holds exactly. What a layer makes of a row depends on the row and on
 * every row it saw before, in order: a position that is left out, doubled or swapped changes all that comes after it.
 */
export interface LayerState {
  /** Digest after each position. */
  digests: number[];
}

export class ArithmeticError extends Error {
  override readonly name = 'ArithmeticError';
}

/** The row of a token at a position. */
export function embed(token: number, position: number, out: Float32Array, at: number): void {
  out[at] = position;
  out[at + 1] = 0;
  for (let lane = 2; lane < WIDTH; lane++) out[at + lane] = mix(token, lane) >>> 8;
}

/**
 * Takes one row through one layer, in place.
 * @throws ArithmeticError for a row of another position or layer, or one that no layer computed
 */
export function throughLayer(layer: number, state: LayerState, rows: Float32Array, at: number): void {
  const position = state.digests.length;
  if (rows[at] !== position)
    throw new ArithmeticError(`layer ${layer} is at position ${position} and was given ${rows[at]}`);
  if (rows[at + 1] !== layer)
    throw new ArithmeticError(`layer ${layer} was given what layer ${rows[at + 1]} takes`);
  let digest = mix(position === 0 ? layer : state.digests[position - 1]!, position);
  for (let lane = 2; lane < WIDTH; lane++) {
    const value = rows[at + lane]!;
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** 24)
      throw new ArithmeticError(`layer ${layer} was given ${value}, which no layer computes`);
    digest = mix(digest, value);
  }
  state.digests.push(digest);
  rows[at + 1] = layer + 1;
  for (let lane = 2; lane < WIDTH; lane++) rows[at + lane] = mix(digest, rows[at + lane]! + lane) >>> 8;
}

/** Logits of a row: [vocabulary]. */
export function logitsOf(row: Float32Array, layers: number): Float32Array {
  if (row[1] !== layers) throw new ArithmeticError(`the head was given what layer ${row[1]} takes`);
  let digest = 0x4ead;
  for (let lane = 2; lane < WIDTH; lane++) digest = mix(digest, row[lane]!);
  // Between -8 and 8, so that sampling has something to choose from.
  return Float32Array.from({ length: VOCABULARY }, (_, token) => (mix(digest, token) >>> 8) / 2 ** 20 - 8);
}

export function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** The whole model in one place, with nothing that can fail: what every chain is compared with. */
export class Reference {
  readonly #states: LayerState[];

  constructor(readonly layers: number) {
    this.#states = Array.from({ length: layers }, () => ({ digests: [] }));
  }

  /** Appends a token. @returns the logits after it */
  push(token: number): Float32Array {
    const row = new Float32Array(WIDTH);
    embed(token, this.#states[0]!.digests.length, row, 0);
    this.#states.forEach((state, layer) => {
      throughLayer(layer, state, row, 0);
    });
    return logitsOf(row, this.layers);
  }
}
