import type { TensorType } from './types.ts';

/** Weights per block, bytes per block and the number of the type in a GGUF header (ggml.h, `enum ggml_type`). */
interface TypeLayout {
  ggml: number;
  blockWeights: number;
  blockBytes: number;
}

export const TENSOR_TYPES: Readonly<Record<TensorType, TypeLayout>> = {
  F32: { ggml: 0, blockWeights: 1, blockBytes: 4 },
  F16: { ggml: 1, blockWeights: 1, blockBytes: 2 },
  BF16: { ggml: 30, blockWeights: 1, blockBytes: 2 },
  Q4_0: { ggml: 2, blockWeights: 32, blockBytes: 18 },
  Q4_1: { ggml: 3, blockWeights: 32, blockBytes: 20 },
  Q5_0: { ggml: 6, blockWeights: 32, blockBytes: 22 },
  Q5_1: { ggml: 7, blockWeights: 32, blockBytes: 24 },
  Q8_0: { ggml: 8, blockWeights: 32, blockBytes: 34 },
  Q4_K: { ggml: 12, blockWeights: 256, blockBytes: 144 },
  Q5_K: { ggml: 13, blockWeights: 256, blockBytes: 176 },
  Q6_K: { ggml: 14, blockWeights: 256, blockBytes: 210 },
};

/** For messages: what runs. */
export const TENSOR_TYPE_LIST = Object.keys(TENSOR_TYPES).join(', ');

const BY_NUMBER = new Map(
  Object.entries(TENSOR_TYPES).map(([name, layout]) => [layout.ggml, name as TensorType]),
);

/** Names of ggml types that do not run, so that a refusal can name them. */
const OTHER_NAMES: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/** The type behind a number of a GGUF header, or null when it does not run. */
export function typeFromGgml(number: number): TensorType | null {
  return BY_NUMBER.get(number) ?? null;
}

/** The name of any ggml type, for messages. */
export function ggmlTypeName(number: number): string {
  return BY_NUMBER.get(number) ?? OTHER_NAMES[number] ?? `number ${number}`;
}

export function isTensorType(value: unknown): value is TensorType {
  return typeof value === 'string' && Object.hasOwn(TENSOR_TYPES, value);
}

/** True for types that hold one number per weight. */
export function isDense(type: TensorType): boolean {
  return TENSOR_TYPES[type].blockWeights === 1;
}

/**
 * Bytes of a tensor, or null when the shape cannot be stored in this type: an empty shape, a dimension that is
 * no positive integer, a size past 2^53, or a row that does not fill whole blocks.
 * @param shape row-major: the last dimension is a row.
 */
export function tensorBytes(type: TensorType, shape: readonly number[]): number | null {
  const { blockWeights, blockBytes } = TENSOR_TYPES[type];
  const row = shape[shape.length - 1];
  if (row === undefined || row % blockWeights !== 0) return null;
  let weights = 1;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 1) return null;
    weights *= dimension;
    if (!Number.isSafeInteger(weights)) return null;
  }
  const bytes = (weights / blockWeights) * blockBytes;
  return Number.isSafeInteger(bytes) ? bytes : null;
}
