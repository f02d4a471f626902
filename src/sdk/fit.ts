import {
  type Manifest,
  type ManifestTensor,
  sliceTensors,
  type TensorType,
  wholeSlice,
} from '../model/index.ts';
import type { DeviceFacts } from './platform.ts';
import type { ModelEntry, ModelFit } from './types.ts';

/** What a manifest tells of a model, beside what the relay lists. */
export type Figures = Pick<ModelEntry, 'contextTokens' | 'fit'>;

/** Tokens of one conversation when nobody says: as in the engine. */
export const DEFAULT_MAX_TOKENS = 4096;

/** Weights and caches are 32-bit floats in exact arithmetic. */
const FLOAT = 4;
/** Of what the device has, the part that a tab may take: the system and other programs want the rest. */
const TAB_SHARE = 0.5;
/** Above this part of what a tab may take, other tabs will feel it. */
const TIGHT_SHARE = 0.5;
/** 32-bit WebAssembly ends at 4 GiB, and the engine refuses more dense weights than 3 of them. */
const WASM_MEMORY = 4 * 2 ** 30;
const WASM_WEIGHTS = 3 * 2 ** 30;

/**
 * Bytes of one weight on a GPU, where blocks stay packed: the code, the 32-bit scale of its block of 32 (Q6_K: 16),
 * and the offset of types that have one. Types that are missing here become floats.
 */
const PACKED: Partial<Record<TensorType, number>> = {
  Q4_0: 0.625,
  Q4_1: 0.75,
  Q4_K: 0.75,
  Q5_0: 1.125,
  Q5_1: 1.25,
  Q5_K: 1.25,
  Q6_K: 1.25,
  Q8_0: 1.125,
};

/**
 * Whether this device can run the whole of a model. On the CPU the engine multiplies the weights out to floats; a GPU
 * keeps blocks packed, if its largest buffer holds the largest matrix (otherwise the CPU has to do it). To these come
 * the embedding table as it is in the file, and the caches of one full conversation. The verdict:
 * - `too-large`: more than WebAssembly can hold at all, or more than half of the device's memory;
 * - `tight`: more than a quarter of it; or more than half, where the browser tells only that there is at least so much;
 * - `unknown`: the browser does not tell how much there is; otherwise `fits`.
 */
export function fitOf(manifest: Manifest, device: DeviceFacts, maxTokens = DEFAULT_MAX_TOKENS): Figures {
  const { layers, kvHeads, headSize, contextLength } = manifest.config;
  const contextTokens = Math.min(maxTokens, contextLength);
  const embedding = manifest.tensors.find(({ name }) => name === 'token_embd.weight')?.bytes ?? 0;
  const caches = 2 * layers * kvHeads * headSize * FLOAT * contextTokens;
  // A head that is tied to the embedding is a matrix of its own there.
  const matrices = sliceTensors(manifest, { ...wholeSlice(manifest), embed: false });
  const packed = (tensor: ManifestTensor) => count(tensor) * (PACKED[tensor.type] ?? FLOAT);
  const largest = Math.max(0, ...matrices.map(packed));
  const gpu = device.gpu !== null && largest <= device.gpu.maxBufferBytes;
  const weights = matrices.reduce((sum, tensor) => sum + (gpu ? packed(tensor) : count(tensor) * FLOAT), 0);
  const neededBytes = Math.round(weights + embedding + caches);
  const deviceBytes = device.memoryBytes === null ? null : device.memoryBytes * TAB_SHARE;
  const impossible = !gpu && (weights > WASM_WEIGHTS || neededBytes > WASM_MEMORY);
  const verdict = impossible ? 'too-large' : verdictOf(neededBytes, deviceBytes, device.memoryMayBeMore);
  return { contextTokens, fit: { neededBytes, deviceBytes, verdict } };
}

function verdictOf(needed: number, device: number | null, mayBeMore: boolean): ModelFit['verdict'] {
  if (device === null) return 'unknown';
  if (needed > device && !mayBeMore) return 'too-large';
  return needed > device * TIGHT_SHARE ? 'tight' : 'fits';
}

function count({ shape }: ManifestTensor): number {
  return shape.reduce((product, size) => product * size, 1);
}
