import { EngineError } from '../types.ts';
import { ProtobufWriter } from './protobuf.ts';

/** Element types with their numbers in onnx.proto3 (TensorProto.DataType). */
const DATA_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, float16: 10 } as const;
export type DataType = keyof typeof DATA_TYPES;

const ELEMENT_BYTES: Record<DataType, number> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  float16: 2,
};

/** Integers are INT attributes; wrap a FLOAT as `{ float }`, because 1 and 1.0 are one number in JavaScript. */
export type Attribute = number | { float: number } | string | readonly number[];

/** Where the bytes of an initializer lie: in the model itself, or in a buffer handed over beside it. */
export type InitializerData = Uint8Array | { path: string; offset: number; length: number };

const OPSET = 21;
const IR_VERSION = 10;
const MICROSOFT_DOMAIN = 'com.microsoft';

/**
 * Builds an ONNX model in memory.
 * Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3.
 * Mistakes of the caller (an undefined input, a name used twice, a shape that does not fit its bytes) throw here,
 * because onnxruntime accepts some of them in silence.
 */
export class GraphBuilder {
  private readonly nodes: ProtobufWriter[] = [];
  private readonly initializers: ProtobufWriter[] = [];
  private readonly inputs: ProtobufWriter[] = [];
  private readonly outputs: ProtobufWriter[] = [];
  private readonly defined = new Set<string>();
  private temporaries = 0;

  constructor(private readonly name: string) {}

  /** Declares a graph input; a string dimension is symbolic. */
  input(name: string, type: DataType, shape: readonly (number | string)[]): string {
    this.define(name);
    this.inputs.push(valueInfo(name, type, shape));
    return name;
  }

  output(name: string, type: DataType, shape: readonly (number | string)[]): void {
    this.require(name);
    this.outputs.push(valueInfo(name, type, shape));
  }

  initializer(name: string, type: DataType, shape: readonly number[], data: InitializerData): string {
    const bytes = shape.reduce((product, size) => product * size, ELEMENT_BYTES[type]);
    if (data.length !== bytes)
      throw new EngineError(
        'failed',
        `initializer ${name}: ${data.length} bytes given, shape needs ${bytes}`,
      );
    this.define(name);
    const tensor = new ProtobufWriter();
    for (const size of shape) tensor.int(1, size);
    tensor.int(2, DATA_TYPES[type]).string(8, name);
    if (data instanceof Uint8Array) tensor.bytes(9, data);
    else {
      for (const [key, value] of [
        ['location', data.path],
        ['offset', String(data.offset)],
        ['length', String(data.length)],
      ] as const)
        tensor.message(13, new ProtobufWriter().string(1, key).string(2, value));
      tensor.int(14, 1);
    }
    this.initializers.push(tensor);
    return name;
  }

  /** A small int64 vector, as Reshape, Split and Slice take. */
  int64(name: string, values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.initializer(name, 'int64', [values.length], new Uint8Array(data.buffer));
  }

  /** Adds a node of the default domain; `outputs` is their count or their names. An empty input name is an absent one. */
  node(
    type: string,
    inputs: readonly string[],
    outputs: number | readonly string[] = 1,
    attributes: Record<string, Attribute | undefined> = {},
    domain = '',
  ): string[] {
    for (const input of inputs) if (input !== '') this.require(input);
    const names =
      typeof outputs === 'number'
        ? Array.from({ length: outputs }, () => `t${this.temporaries++}`)
        : [...outputs];
    const node = new ProtobufWriter();
    for (const input of inputs) node.string(1, input);
    for (const name of names) {
      if (name !== '') this.define(name);
      node.string(2, name);
    }
    node.string(3, `${type}_${this.nodes.length}`).string(4, type);
    for (const [key, value] of Object.entries(attributes))
      if (value !== undefined) node.message(5, attribute(key, value));
    if (domain !== '') node.string(7, domain);
    this.nodes.push(node);
    return names;
  }

  /** Adds a node of onnxruntime's own operators. */
  microsoft(
    type: string,
    inputs: readonly string[],
    outputs: number | readonly string[] = 1,
    attributes: Record<string, Attribute | undefined> = {},
  ): string[] {
    return this.node(type, inputs, outputs, attributes, MICROSOFT_DOMAIN);
  }

  build(): Uint8Array {
    const graph = new ProtobufWriter();
    for (const node of this.nodes) graph.message(1, node);
    graph.string(2, this.name);
    for (const initializer of this.initializers) graph.message(5, initializer);
    for (const input of this.inputs) graph.message(11, input);
    for (const output of this.outputs) graph.message(12, output);
    return new ProtobufWriter()
      .int(1, IR_VERSION)
      .string(2, 'shoal')
      .message(7, graph)
      .message(8, new ProtobufWriter().string(1, '').int(2, OPSET))
      .message(8, new ProtobufWriter().string(1, MICROSOFT_DOMAIN).int(2, 1))
      .finish();
  }

  private define(name: string): void {
    if (name === '' || this.defined.has(name))
      throw new EngineError('failed', `graph: the name "${name}" is taken`);
    this.defined.add(name);
  }

  private require(name: string): void {
    if (!this.defined.has(name)) throw new EngineError('failed', `graph: "${name}" is not defined`);
  }
}

function valueInfo(name: string, type: DataType, shape: readonly (number | string)[]): ProtobufWriter {
  const dimensions = new ProtobufWriter();
  for (const size of shape) {
    const dimension = new ProtobufWriter();
    dimensions.message(1, typeof size === 'string' ? dimension.string(2, size) : dimension.int(1, size));
  }
  const tensor = new ProtobufWriter().int(1, DATA_TYPES[type]).message(2, dimensions);
  return new ProtobufWriter().string(1, name).message(2, new ProtobufWriter().message(1, tensor));
}

function attribute(name: string, value: Attribute): ProtobufWriter {
  const out = new ProtobufWriter().string(1, name);
  if (typeof value === 'number') return out.int(3, value).int(20, 2);
  if (typeof value === 'string') return out.string(4, value).int(20, 3);
  if ('float' in value) return out.float(2, value.float).int(20, 1);
  for (const item of value) out.int(8, item);
  return out.int(20, 7);
}
