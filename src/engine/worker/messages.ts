import { ModelError, type ModelErrorCode } from '../../model/index.ts';
import {
  type Backend,
  EngineError,
  type EngineErrorCode,
  type EngineInfo,
  type ForwardInput,
  type ForwardOutput,
  type LoadOptions,
  type LoadProgress,
} from '../types.ts';

/** Both ends of the channel between a page (or Node's main thread) and the thread that computes. */
export interface Port {
  post(message: unknown, transfer?: ArrayBuffer[]): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** Load options that can be posted: callbacks and signals stay behind. */
export type PostedLoadOptions = Omit<LoadOptions, 'onProgress' | 'signal'>;

export interface Calls {
  load: { args: [PostedLoadOptions]; result: EngineInfo };
  /** Runs the self-test on a back end; the result is its device. */
  prove: { args: [Backend, string | undefined]; result: string | null };
  open: { args: [{ maxTokens?: number }]; result: number };
  forward: { args: [number, ForwardInput, { rows?: readonly number[] }]; result: ForwardOutput };
  decode: { args: [readonly { session: number; input: ForwardInput }[]]; result: ForwardOutput[] };
  truncate: { args: [number, number]; result: undefined };
  close: { args: [number]; result: undefined };
  dispose: { args: []; result: undefined };
}
export type CallName = keyof Calls;

export type Request =
  | { id: number; call: CallName; args: unknown[] }
  /** Stops call `abort`. */
  | { abort: number };

export type Response =
  | { id: number; result: unknown }
  | { id: number; error: PostedError }
  | { id: number; progress: LoadProgress };

export interface PostedError {
  kind: 'engine' | 'model' | 'other';
  code: string;
  message: string;
}

/** Errors lose their class when posted. */
export function packError(error: unknown): PostedError {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof EngineError) return { kind: 'engine', code: error.code, message };
  if (error instanceof ModelError) return { kind: 'model', code: error.code, message };
  return { kind: 'other', code: 'failed', message };
}

export function unpackError({ kind, code, message }: PostedError): Error {
  if (kind === 'model') return new ModelError(code as ModelErrorCode, message);
  return new EngineError(kind === 'engine' ? (code as EngineErrorCode) : 'failed', message);
}

/** Buffers of an output, which move instead of being copied. */
export function buffersOf(outputs: readonly ForwardOutput[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { hidden, logits } of outputs)
    for (const values of [hidden, logits])
      if (values && values.byteLength === values.buffer.byteLength && values.buffer instanceof ArrayBuffer)
        buffers.add(values.buffer);
  return [...buffers];
}
