import type { ModelConfig } from '../../model/index.ts';
import { dequantiseRows } from '../weights/index.ts';
import type { TinyModel } from './tiny-model.ts';

type Matrix = { rows: number; columns: number; values: Float32Array };

/**
 * Logits of the last token, computed by plain loops in double precision: what a GPU's kernels are held against.
 * It covers what the self-test model has (a llama without biases); it shares no code with the graphs.
 */
export function referenceLogits(model: TinyModel, tokens: readonly number[]): Float32Array {
  const { config } = model.manifest;
  const matrix = (name: string): Matrix => {
    const tensor = model.manifest.tensors.find((candidate) => candidate.name === name)!;
    const [rows = 1, columns = 1] = tensor.shape.length === 1 ? [1, tensor.shape[0]] : tensor.shape;
    return { rows, columns, values: dequantiseRows(tensor.type, model.bytes.get(name)!, columns, 0, rows) };
  };
  const embedding = matrix('token_embd.weight');
  let states = tokens.map((token) =>
    Array.from(embedding.values.subarray(token * config.width, (token + 1) * config.width)),
  );
  for (let layer = 0; layer < config.layers; layer++) {
    const of = (part: string) => matrix(`blk.${layer}.${part}.weight`);
    const normed = states.map((state) => rmsNorm(state, of('attn_norm').values, config.normEpsilon));
    const [q, k, v] = (['attn_q', 'attn_k', 'attn_v'] as const).map((part) => {
      const weights = of(part);
      return normed.map((state) => multiply(weights, state));
    }) as [number[][], number[][], number[][]];
    q.forEach((row, position) => {
      rotate(row, position, config);
    });
    k.forEach((row, position) => {
      rotate(row, position, config);
    });
    const output = of('attn_output');
    states = states.map((state, position) =>
      add(state, multiply(output, attend(q[position]!, k.slice(0, position + 1), v, config))),
    );
    const [gate, up, down] = [of('ffn_gate'), of('ffn_up'), of('ffn_down')];
    states = states.map((state) => {
      const x = rmsNorm(state, of('ffn_norm').values, config.normEpsilon);
      const upper = multiply(up, x);
      const inner = multiply(gate, x).map((value, i) => (value / (1 + Math.exp(-value))) * upper[i]!);
      return add(state, multiply(down, inner));
    });
  }
  const last = rmsNorm(states.at(-1)!, matrix('output_norm.weight').values, config.normEpsilon);
  return Float32Array.from(multiply(embedding, last));
}

function attend(q: number[], keys: number[][], values: number[][], config: ModelConfig): number[] {
  const { heads, kvHeads, headSize } = config;
  const out: number[] = [];
  for (let head = 0; head < heads; head++) {
    const kv = Math.floor(head / (heads / kvHeads)) * headSize;
    const scores = keys.map((key) => {
      let sum = 0;
      for (let i = 0; i < headSize; i++) sum += q[head * headSize + i]! * key[kv + i]!;
      return sum / Math.sqrt(headSize);
    });
    const top = Math.max(...scores);
    const shares = scores.map((score) => Math.exp(score - top));
    const total = shares.reduce((sum, share) => sum + share, 0);
    for (let i = 0; i < headSize; i++)
      out.push(shares.reduce((sum, share, at) => sum + (share / total) * values[at]![kv + i]!, 0));
  }
  return out;
}

/** Turns every head of `row` in place; the two halves of a head are its pairs. */
function rotate(row: number[], position: number, config: ModelConfig): void {
  const half = config.headSize / 2;
  for (let head = 0; head < row.length; head += config.headSize)
    for (let i = 0; i < half; i++) {
      const angle = position * config.ropeTheta ** (-i / half);
      const [a, b] = [row[head + i]!, row[head + half + i]!];
      row[head + i] = a * Math.cos(angle) - b * Math.sin(angle);
      row[head + half + i] = b * Math.cos(angle) + a * Math.sin(angle);
    }
}

function rmsNorm(x: number[], weight: Float32Array, epsilon: number): number[] {
  const mean = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  const scale = 1 / Math.sqrt(mean + epsilon);
  return x.map((value, i) => value * scale * weight[i]!);
}

function multiply({ rows, columns, values }: Matrix, x: number[]): number[] {
  const out = new Array<number>(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += values[row * columns + i]! * x[i]!;
    out[row] = sum;
  }
  return out;
}

function add(a: number[], b: number[]): number[] {
  return a.map((value, i) => value + b[i]!);
}
