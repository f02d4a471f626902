import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { GraphBuilder } from '../onnx/index.ts';
import { dense } from './dense.ts';
import type { WeightPart } from './parts.ts';
import { type Quantised, repack } from './repack.ts';
import { randomNumbers, randomOrder, randomWeights } from './testing/generate.ts';
import { type QuantisedType, referenceValue } from './testing/reference.ts';

const TYPES: readonly QuantisedType[] = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'];

const BATCH = 3;

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** `y = MatMulNBits(x) + ReduceSum(x by blocks of 32) · offsets`, [BATCH, K] to [BATCH, N]. */
function quantisedGraph({
  bits,
  blockSize,
  rows: N,
  columns: K,
  codes,
  scales,
  offsets,
}: Quantised): Uint8Array {
  const graph = new GraphBuilder('quantised');
  graph.input('x', 'float32', [BATCH, K]);
  graph.initializer('codes', 'uint8', [N, K / blockSize, (blockSize * bits) / 8], codes);
  graph.initializer('scales', 'float32', [scales.length], bytesOf(scales));
  const attributes = { K, N, bits, block_size: blockSize, accuracy_level: 1 };
  const [product] = graph.microsoft('MatMulNBits', ['x', 'codes', 'scales'], 1, attributes);
  let y = product!;
  if (offsets !== null) {
    graph.initializer('offsets', 'float32', [K / 32, N], bytesOf(offsets));
    const [blocks] = graph.node('Reshape', ['x', graph.int64('shape', [BATCH, K / 32, 32])]);
    const [sums] = graph.node('ReduceSum', [blocks!, graph.int64('axis', [2])], 1, { keepdims: 0 });
    const [added] = graph.node('MatMul', [sums!, 'offsets']);
    [y] = graph.node('Add', [y, added!]) as [string];
  }
  graph.node('Identity', [y], ['y']);
  graph.output('y', 'float32', [BATCH, N]);
  return graph.build();
}

function denseGraph(weights: Float32Array, N: number, K: number): Uint8Array {
  const graph = new GraphBuilder('dense');
  graph.input('x', 'float32', [BATCH, K]);
  graph.initializer('w', 'float32', [K, N], bytesOf(weights));
  graph.node('MatMul', ['x', 'w'], ['y']);
  graph.output('y', 'float32', [BATCH, N]);
  return graph.build();
}

async function run(model: Uint8Array, x: Float32Array): Promise<Float32Array> {
  const session = await InferenceSession.create(model);
  const { y } = await session.run({ x: new Tensor('float32', x, [BATCH, x.length / BATCH]) });
  await session.release();
  return y!.data as Float32Array;
}

test.each(TYPES)('onnxruntime multiplies by %s as float64 does, repacked and dense', async (type) => {
  const columns = type.endsWith('_K') ? 512 : 576;
  const parts = [40, 24].map((rows, i): WeightPart => {
    const bytes = randomWeights(type, rows * columns, i);
    return { type, rows, columns, bytes, rowOrder: randomOrder(rows, i) };
  });
  const next = randomNumbers(11);
  const x = Float32Array.from({ length: BATCH * columns }, () => next() / 2 ** 31 - 1);

  const want = new Float64Array(BATCH * 64);
  for (let batch = 0, at = 0; batch < BATCH; batch++)
    for (const { bytes, rows, rowOrder } of parts)
      for (let row = 0; row < rows; row++, at++)
        for (let column = 0; column < columns; column++)
          want[at]! +=
            x[batch * columns + column]! * referenceValue(type, bytes, rowOrder![row]! * columns + column);

  const quantised = await run(quantisedGraph(repack(parts)!), x);
  const float = await run(denseGraph(dense(parts, 'columns-first'), 64, columns), x);
  for (const got of [quantised, float]) {
    let error = 0;
    let size = 0;
    for (let i = 0; i < want.length; i++) {
      error += (got[i]! - want[i]!) ** 2;
      size += want[i]! ** 2;
    }
    // Rounding of float32 sums of some 500 products; a wrong layout is off by about 1.
    expect(Math.sqrt(error / size)).toBeLessThan(3e-6);
  }
});
