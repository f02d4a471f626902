import type * as Onnx from 'onnxruntime-common';
import type { Precision } from '../types.ts';
import { fromFloat16, toFloat16 } from '../weights/index.ts';

/** onnxruntime-node or one of the builds of onnxruntime-web: they share onnxruntime-common's interface. */
export type OnnxRuntime = Pick<typeof Onnx, 'InferenceSession' | 'Tensor' | 'env'>;

/** The bits of a float tensor: float16 has no typed array on every platform. */
export type FloatBits = Float32Array | Uint16Array;

export function newBits(precision: Precision, length: number): FloatBits {
  return precision === 'float16' ? new Uint16Array(length) : new Float32Array(length);
}

export function bitsTensor(ort: OnnxRuntime, bits: FloatBits, shape: readonly number[]): Onnx.Tensor {
  return bits instanceof Float32Array
    ? new ort.Tensor('float32', bits, shape)
    : new ort.Tensor('float16', bits, shape);
}

/** `values` in the graph's type. */
export function floatTensor(
  ort: OnnxRuntime,
  precision: Precision,
  values: Float32Array,
  shape: readonly number[],
): Onnx.Tensor {
  return bitsTensor(ort, precision === 'float16' ? toFloat16(values) : values, shape);
}

/** The bits of a result on the CPU. */
export function bitsOf(tensor: Onnx.Tensor): FloatBits {
  const data = tensor.data as FloatBits;
  if (tensor.type === 'float32') return data;
  return new Uint16Array(data.buffer, data.byteOffset, data.length);
}

/** A result as float32. */
export function floatsOf(tensor: Onnx.Tensor): Float32Array {
  const bits = bitsOf(tensor);
  return bits instanceof Float32Array ? bits : fromFloat16(bits);
}

export function int64Tensor(
  ort: OnnxRuntime,
  values: readonly number[],
  shape: readonly number[],
): Onnx.Tensor {
  return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);
}
