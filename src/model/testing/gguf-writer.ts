import { TENSOR_TYPES, tensorBytes } from '../tensor-types.ts';
import type { TensorType } from '../types.ts';

/** Numbers of the value types of GGUF metadata (the GGUF specification, `gguf_metadata_value_type`). */
const VALUE_TYPES = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

export type GgufScalarType = Exclude<keyof typeof VALUE_TYPES, 'array'>;

/** A value whose type must not be guessed. */
export interface TypedGgufValue {
  type: GgufScalarType;
  value: string | number | bigint | boolean | readonly (string | number | bigint | boolean)[];
}

export type GgufValue =
  | string
  | number
  | boolean
  | readonly string[]
  | readonly number[]
  | readonly boolean[]
  | TypedGgufValue;

export interface GgufFile {
  /** Whole numbers become uint32 (int32 in arrays or when negative); keys that hold reals become float32. */
  metadata: Record<string, GgufValue>;
  /** `shape` is row-major, as in `TensorInfo`; `data` are the bytes as stored. */
  tensors: { name: string; type: TensorType; shape: readonly number[]; data: Uint8Array }[];
  /** 2 or 3 (default). */
  version?: number;
}

/** Keys that llama.cpp insists on finding as float32 even when the value is whole. */
const REAL_KEY = /(epsilon|freq_base|factor|scale|scores|scale_linear)$/;

/** Writes a GGUF file that this project and llama.cpp read; for tests. Throws when a tensor's bytes do not fit. */
export function writeGguf({ metadata, tensors, version = 3 }: GgufFile): Uint8Array {
  const out = new Writer();
  out.bytes(new TextEncoder().encode('GGUF'));
  out.number('uint32', version);
  out.number('uint64', tensors.length);
  out.number('uint64', Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    out.string(key);
    out.value(withType(key, value));
  }
  const alignment = Number(metadata['general.alignment'] ?? 32);
  let offset = 0;
  const offsets: number[] = [];
  for (const { name, type, shape, data } of tensors) {
    if (tensorBytes(type, shape) !== data.length)
      throw new Error(
        `${name}: ${data.length} bytes do not fill a ${type} tensor of shape ${shape.join('×')}`,
      );
    out.string(name);
    out.number('uint32', shape.length);
    for (const dimension of [...shape].reverse()) out.number('uint64', dimension);
    out.number('uint32', TENSOR_TYPES[type].ggml);
    out.number('uint64', offset);
    offsets.push(offset);
    offset = alignUp(offset + data.length, alignment);
  }
  const base = alignUp(out.length, alignment);
  const file = new Uint8Array(base + offset);
  file.set(out.finish());
  tensors.forEach((tensor, i) => {
    file.set(tensor.data, base + offsets[i]!);
  });
  return file;
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

function withType(key: string, value: GgufValue): TypedGgufValue {
  if (typeof value === 'object' && 'type' in value) return value;
  const list = typeof value === 'object';
  const sample = list ? value[0] : value;
  if (typeof sample === 'string') return { type: 'string', value };
  if (typeof sample === 'boolean') return { type: 'bool', value };
  const numbers = (list ? value : [value]) as readonly number[];
  if (REAL_KEY.test(key) || numbers.some((n) => !Number.isInteger(n))) return { type: 'float32', value };
  return { type: list || numbers.some((n) => n < 0) ? 'int32' : 'uint32', value };
}

class Writer {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  bytes(data: Uint8Array): void {
    this.#reserve(data.length);
    this.#bytes.set(data, this.length);
    this.length += data.length;
  }

  string(text: string): void {
    const data = new TextEncoder().encode(text);
    this.number('uint64', data.length);
    this.bytes(data);
  }

  value({ type, value }: TypedGgufValue): void {
    if (typeof value !== 'object') {
      this.number('uint32', VALUE_TYPES[type]);
      this.#scalar(type, value);
      return;
    }
    this.number('uint32', VALUE_TYPES.array);
    this.number('uint32', VALUE_TYPES[type]);
    this.number('uint64', value.length);
    for (const item of value) this.#scalar(type, item);
  }

  number(type: Exclude<GgufScalarType, 'string' | 'bool'>, value: number | bigint): void {
    this.#reserve(8);
    const at = this.length;
    const view = this.#view;
    const n = Number(value);
    switch (type) {
      case 'uint8':
        view.setUint8(at, n);
        this.length += 1;
        return;
      case 'int8':
        view.setInt8(at, n);
        this.length += 1;
        return;
      case 'uint16':
        view.setUint16(at, n, true);
        this.length += 2;
        return;
      case 'int16':
        view.setInt16(at, n, true);
        this.length += 2;
        return;
      case 'uint32':
        view.setUint32(at, n, true);
        this.length += 4;
        return;
      case 'int32':
        view.setInt32(at, n, true);
        this.length += 4;
        return;
      case 'float32':
        view.setFloat32(at, n, true);
        this.length += 4;
        return;
      case 'uint64':
        view.setBigUint64(at, BigInt(value), true);
        this.length += 8;
        return;
      case 'int64':
        view.setBigInt64(at, BigInt(value), true);
        this.length += 8;
        return;
      case 'float64':
        view.setFloat64(at, n, true);
        this.length += 8;
        return;
    }
  }

  #scalar(type: GgufScalarType, value: string | number | bigint | boolean): void {
    if (type === 'string') this.string(String(value));
    else if (type === 'bool') this.number('uint8', value ? 1 : 0);
    else this.number(type, typeof value === 'bigint' ? value : Number(value));
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
