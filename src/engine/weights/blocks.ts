import type { TensorType } from '../../model/index.ts';

/** How a type stores weights: `weights` of them in `bytes` bytes (ggml-common.h of llama.cpp). */
export interface BlockLayout {
  weights: number;
  bytes: number;
}

export const BLOCKS: Readonly<Record<TensorType, BlockLayout>> = {
  F32: { weights: 1, bytes: 4 },
  F16: { weights: 1, bytes: 2 },
  BF16: { weights: 1, bytes: 2 },
  Q4_0: { weights: 32, bytes: 18 },
  Q4_1: { weights: 32, bytes: 20 },
  Q5_0: { weights: 32, bytes: 22 },
  Q5_1: { weights: 32, bytes: 24 },
  Q8_0: { weights: 32, bytes: 34 },
  Q4_K: { weights: 256, bytes: 144 },
  Q5_K: { weights: 256, bytes: 176 },
  Q6_K: { weights: 256, bytes: 210 },
};
