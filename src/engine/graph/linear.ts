import type { ManifestTensor } from '../../model/index.ts';
import type { GraphBuilder } from '../onnx/index.ts';
import {
  dense,
  denseFloat16,
  dequantiseRows,
  REPACK_FORMS,
  repack,
  toFloat16,
  unpermuteRows,
  type WeightPart,
} from '../weights/index.ts';
import type { ExternalData } from './external-data.ts';
import type { GraphForm } from './form.ts';

/** A matrix that takes part in a product: its rows are output features. */
export interface LinearPart {
  weight: ManifestTensor;
  bias?: ManifestTensor | undefined;
  /** Set for Q and K of GGUF's llama, whose rows come interleaved: their number of heads. */
  interleavedHeads?: number | undefined;
}

/** Values per offset of the block-sum correction (types with a minimum). */
const OFFSET_BLOCK = 32;

/** Writes matrices and vectors of a model into a graph and its external data. */
export class WeightWriter {
  constructor(
    private readonly graph: GraphBuilder,
    readonly data: ExternalData,
    private readonly form: GraphForm,
    private readonly headSize: number,
  ) {}

  private get elementBytes(): number {
    return this.form.precision === 'float16' ? 2 : 4;
  }

  /** A float tensor computed or read later; `make` runs while weights are loaded. */
  floats(
    name: string,
    shape: readonly number[],
    tensors: readonly string[],
    make: (sources: Uint8Array[]) => Float32Array,
  ): string {
    const count = shape.reduce((product, size) => product * size, 1);
    const range = this.data.reserve(count * this.elementBytes);
    this.data.fill(tensors, (sources) => this.store(make(sources), this.data.view(range)));
    return this.graph.initializer(name, this.form.precision, shape, range);
  }

  /** A vector of the model (norm weight or bias) as it is in the file. */
  vector(name: string, tensor: ManifestTensor): string {
    const length = tensor.shape[0]!;
    return this.floats(name, [length], [tensor.name], ([bytes]) =>
      dequantiseRows(tensor.type, bytes!, length, 0, 1),
    );
  }

  /** `x` [rows, columns] times the parts' rows, stacked: [rows, sum of the parts' rows]. */
  linear(x: string, name: string, parts: readonly LinearPart[]): string {
    const asBlocks = (part: LinearPart) =>
      this.form.linear === 'blocks' && REPACK_FORMS[part.weight.type] !== null;
    const groups: LinearPart[][] = [];
    for (const part of parts) {
      const last = groups.at(-1);
      // Only equal block types share an operator; dense parts always do.
      const joins =
        last !== undefined &&
        asBlocks(last[0]!) === asBlocks(part) &&
        (!asBlocks(part) || last[0]!.weight.type === part.weight.type);
      if (joins) last.push(part);
      else groups.push([part]);
    }
    const products = groups.map((group, index) => {
      const groupName = groups.length === 1 ? name : `${name}.${index}`;
      return asBlocks(group[0]!) ? this.blocks(x, groupName, group) : this.dense(x, groupName, group);
    });
    return products.length === 1 ? products[0]! : this.graph.node('Concat', products, 1, { axis: -1 })[0]!;
  }

  private dense(x: string, name: string, parts: readonly LinearPart[]): string {
    const columns = parts[0]!.weight.shape[1]!;
    const rows = countRows(parts);
    const range = this.data.reserve(rows * columns * this.elementBytes);
    let rowAt = 0;
    for (const part of parts) {
      const offset = rowAt * columns * this.elementBytes;
      const partRows = part.weight.shape[0]!;
      rowAt += partRows;
      this.data.fill([part.weight.name], ([bytes]) => {
        const target = this.data.view(range);
        const at = target.byteOffset + offset;
        const source = [this.source(part, bytes!)];
        if (this.form.precision === 'float16')
          denseFloat16(source, 'rows-first', new Uint16Array(target.buffer, at, partRows * columns));
        else dense(source, 'rows-first', new Float32Array(target.buffer, at, partRows * columns));
      });
    }
    const weight = this.graph.initializer(`${name}.weight`, this.form.precision, [rows, columns], range);
    const bias = this.bias(name, parts);
    return this.graph.node('Gemm', bias === null ? [x, weight] : [x, weight, bias], 1, { transB: 1 })[0]!;
  }

  private source(part: LinearPart, bytes: Uint8Array): WeightPart {
    const { type, shape } = part.weight;
    const rowOrder = this.rowOrder(part) ?? undefined;
    return { type, bytes, rows: shape[0]!, columns: shape[1]!, rowOrder };
  }

  private blocks(x: string, name: string, parts: readonly LinearPart[]): string {
    const { graph, form } = this;
    const { bits, blockSize, offsets } = REPACK_FORMS[parts[0]!.weight.type]!;
    const columns = parts[0]!.weight.shape[1]!;
    const rows = countRows(parts);
    const perRow = columns / blockSize;
    const codes = this.data.reserve((rows * columns * bits) / 8);
    const scales = this.data.reserve(rows * perRow * this.elementBytes);
    const sums = columns / OFFSET_BLOCK;
    const minimum = offsets ? this.data.reserve(sums * rows * this.elementBytes) : null;
    this.data.fill(
      parts.map((part) => part.weight.name),
      (sources) => {
        const from = parts.map((part, index) => this.source(part, sources[index]!));
        if (form.precision === 'float32') {
          repack(from, {
            codes: this.data.view(codes),
            scales: float32View(this.data.view(scales)),
            offsets: minimum && float32View(this.data.view(minimum)),
          });
          return;
        }
        const packed = repack(from)!;
        this.data.view(codes).set(packed.codes);
        this.store(packed.scales, this.data.view(scales));
        if (minimum) this.store(packed.offsets!, this.data.view(minimum));
      },
    );
    const inputs = [
      x,
      graph.initializer(`${name}.codes`, 'uint8', [rows, perRow, (blockSize * bits) / 8], codes),
      graph.initializer(`${name}.scales`, form.precision, [rows, perRow], scales),
    ];
    let y = graph.microsoft('MatMulNBits', inputs, 1, {
      K: columns,
      N: rows,
      bits,
      block_size: blockSize,
      accuracy_level: form.accuracyLevel,
    })[0]!;
    if (minimum) {
      // y = codes·x + Σ over blocks of (sum of x in the block) · offset: exact where float zero points would be
      // 20 to 70 times slower.
      const byBlock = graph.node('Reshape', [x, this.blockShape(sums)])[0]!;
      const sum = graph.node('ReduceSum', [byBlock, this.lastAxis()], 1, { keepdims: 0 })[0]!;
      const matrix = graph.initializer(`${name}.offsets`, form.precision, [sums, rows], minimum);
      y = graph.node('Add', [y, graph.node('MatMul', [sum, matrix])[0]!])[0]!;
    }
    const bias = this.bias(name, parts);
    return bias === null ? y : graph.node('Add', [y, bias])[0]!;
  }

  private bias(name: string, parts: readonly LinearPart[]): string | null {
    if (!parts.some((part) => part.bias)) return null;
    const biases = parts.flatMap((part) => (part.bias ? [part.bias.name] : []));
    return this.floats(`${name}.bias`, [countRows(parts)], biases, (sources) => {
      const out = new Float32Array(countRows(parts));
      let at = 0;
      let source = 0;
      for (const part of parts) {
        const rows = part.weight.shape[0]!;
        if (part.bias) {
          const values = dequantiseRows(part.bias.type, sources[source++]!, rows, 0, 1);
          const order = this.rowOrder(part);
          for (let row = 0; row < rows; row++) out[at + row] = values[order ? order[row]! : row]!;
        }
        at += rows;
      }
      return out;
    });
  }

  private rowOrder(part: LinearPart): Int32Array | null {
    return part.interleavedHeads === undefined ? null : unpermuteRows(part.interleavedHeads, this.headSize);
  }

  private store(values: Float32Array, target: Uint8Array<ArrayBuffer>): void {
    if (this.form.precision === 'float16')
      toFloat16(values, new Uint16Array(target.buffer, target.byteOffset, values.length));
    else float32View(target).set(values);
  }

  private readonly shapes = new Map<number, string>();
  private blockShape(sums: number): string {
    const known = this.shapes.get(sums);
    if (known) return known;
    const name = this.graph.int64(`by_block_${sums}`, [-1, sums, OFFSET_BLOCK]);
    this.shapes.set(sums, name);
    return name;
  }

  private axis: string | null = null;
  private lastAxis(): string {
    this.axis ??= this.graph.int64('last_axis', [-1]);
    return this.axis;
  }
}

function float32View(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function countRows(parts: readonly LinearPart[]): number {
  return parts.reduce((sum, part) => sum + part.weight.shape[0]!, 0);
}
