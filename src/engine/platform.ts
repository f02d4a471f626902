import type * as Onnx from 'onnxruntime-common';
import type { Manifest, TensorReader, WeightsLocation } from '../model/index.ts';
import type { ExternalFile, GraphForm } from './graph/index.ts';
import type { OnnxRuntime } from './runtime/float-tensor.ts';
import type { RunnerShape, SliceRunner } from './runtime/runner.ts';
import type { Arithmetic, Backend, Precision } from './types.ts';

export interface BackendRequest {
  arithmetic: Arithmetic;
  precision: Precision;
  threads: number | undefined;
  /** As `LoadOptions.spin`. */
  spin?: boolean | undefined;
  /** Bytes that all matrices take as dense 32-bit floats. */
  denseBytes: number;
  /** Bytes for weights and caches together. */
  memoryLimit?: number | undefined;
  /** As `LoadOptions.device`. */
  device?: string | undefined;
}

/** A back end that answered: how to write its graph and how to run it. */
export interface BackendPlan {
  /** What is really done: a back end without a faster int8 kernel stays exact. */
  arithmetic: Arithmetic;
  precision: Precision;
  form: Omit<GraphForm, 'positions'>;
  /** Most positions of one run. */
  maxChunk: number;
  threads: number;
  device: string | null;
  /** True for a GPU, whose kernels are tested before they are believed. */
  gpu: boolean;
  /** True for a GPU emulated on the CPU: right, but seconds per token. */
  software: boolean;
  /** Relative RMS that the self-test allows in exact arithmetic; default 1e-3. */
  tolerance?: number;
  ort: OnnxRuntime;
  sessionOptions: Onnx.InferenceSession.SessionOptions;
  makeRunner(session: Onnx.InferenceSession, shape: RunnerShape, maxTokens: number): Promise<SliceRunner>;
  /** Frees the buffers that a started part leaves behind, where the platform can be told to. */
  collectGarbage?(): void;
  /** Calls back when the device is lost, other than by dispose. */
  onLost?(callback: (reason: string) => void): void;
}

/** What differs between a tab's worker and a Node worker thread. */
export interface Platform {
  /** Back ends of this platform, best first. */
  backends: readonly Backend[];
  /** @throws Error with the plain reason why the back end cannot run here */
  plan(backend: Backend, request: BackendRequest): Promise<BackendPlan>;
  openWeights(manifest: Manifest, location: WeightsLocation): Promise<TensorReader>;
}

export function externalData(files: readonly ExternalFile[]): { path: string; data: Uint8Array }[] {
  return files.map(({ path, data }) => ({ path, data }));
}
