import type { ManifestTensor, ModelConfig, Slice } from '../../model/index.ts';
import type { GraphBuilder } from '../onnx/index.ts';
import type { Precision } from '../types.ts';
import type { WeightWriter } from './linear.ts';

/** Writes the attention of each layer; `finish` adds the outputs that all layers share. */
export interface AttentionWriter {
  /** `qkv` [rows, (heads + 2 kvHeads) × headSize] → mixed values [rows, heads × headSize] */
  layer(layer: number, qkv: string): string;
  finish(): void;
}

type Build = (
  graph: GraphBuilder,
  weights: WeightWriter,
  config: ModelConfig,
  precision: Precision,
  tensors: ReadonlyMap<string, ManifestTensor>,
  slice: Slice,
) => AttentionWriter;

/** Q and K of all heads normed per head (Qwen3); other models pass through. `qk`: [rows, heads, headSize]. */
function headNorm(
  graph: GraphBuilder,
  weights: WeightWriter,
  config: ModelConfig,
  tensors: ReadonlyMap<string, ManifestTensor>,
) {
  return (x: string, tensorName: string): string => {
    const tensor = tensors.get(tensorName);
    if (!tensor) return x;
    return graph.node('SimplifiedLayerNormalization', [x, weights.vector(tensorName, tensor)], 1, {
      axis: -1,
      epsilon: { float: config.normEpsilon },
      stash_type: 1,
    })[0]!;
  };
}

/**
 * Attention as two products, over the cached positions and over the new ones.
 *
 * The rows are `steps` positions of `groups / kvHeads` sessions: a prompt is many steps of one session, a batched
 * decode is one step of many. Inputs: `positions` [1, rows]; `past_k.N`, `past_v.N` [past, groups, headSize];
 * `mask` broadcast to [groups, steps, repeat, past + steps]; and the shapes that depend on the call.
 * Output `present` [steps, 2 × layers × groups, headSize]: the new keys and values, layer by layer, K before V.
 */
export const splitAttention: Build = (graph, weights, config, precision, tensors, slice) => {
  const { heads, kvHeads, headSize } = config;
  const presents: string[] = [];
  if (slice.end === slice.start) return { layer: () => '', finish: () => undefined };

  graph.input('positions', 'int64', [1, 'rows']);
  graph.input('mask', precision, ['mask_groups', 'mask_steps', 1, 'mask_positions']);
  graph.input('shape_q', 'int64', [4]); // [steps, groups, repeat, headSize]
  graph.input('shape_kv', 'int64', [3]); // [steps, groups, headSize]
  graph.input('shape_scores', 'int64', [4]); // [groups, steps, repeat, past + steps]
  graph.input('shape_weights', 'int64', [3]); // [groups, steps × repeat, past + steps]
  graph.input('shape_mixed', 'int64', [4]); // [groups, steps, repeat, headSize]
  graph.input('split_positions', 'int64', [2]); // [past, steps]
  graph.int64('shape_grouped_q', [0, -1, headSize]);
  graph.int64('shape_flat', [-1, heads * headSize]);
  graph.int64('shape_heads_q', [1, -1, heads * headSize]);
  graph.int64('shape_heads_k', [1, -1, kvHeads * headSize]);
  graph.int64('shape_norm_q', [-1, heads, headSize]);
  graph.int64('shape_norm_k', [-1, kvHeads, headSize]);
  graph.int64('shape_heads_qk', [1, -1, (heads + kvHeads) * headSize]);
  graph.int64('split_qk_v', [(heads + kvHeads) * headSize, kvHeads * headSize]);
  graph.int64('split_q_k', [heads * headSize, kvHeads * headSize]);
  graph.int64('split_q_k_v', [heads * headSize, kvHeads * headSize, kvHeads * headSize]);
  const norm = headNorm(graph, weights, config, tensors);
  const reshape = (x: string, shape: string) => graph.node('Reshape', [x, shape])[0]!;
  const rotate = (x: string) =>
    graph.microsoft('RotaryEmbedding', [x, 'positions', 'cos', 'sin'], 1, { interleaved: 0 })[0]!;

  /** Rotated Q and K and plain V, each [rows, …]. Q and K turn in one operator where no norm comes between. */
  const rotated = (layer: number, qkv: string): [q: string, k: string, v: string] => {
    if (!tensors.has(`blk.${layer}.attn_q_norm.weight`)) {
      const [qk, v] = graph.node('Split', [qkv, 'split_qk_v'], 2, { axis: -1 });
      const [q, k] = graph.node('Split', [rotate(reshape(qk!, 'shape_heads_qk')), 'split_q_k'], 2, {
        axis: -1,
      });
      return [q!, k!, v!];
    }
    const [q, k, v] = graph.node('Split', [qkv, 'split_q_k_v'], 3, { axis: -1 });
    const normedQ = norm(reshape(q!, 'shape_norm_q'), `blk.${layer}.attn_q_norm.weight`);
    const normedK = norm(reshape(k!, 'shape_norm_k'), `blk.${layer}.attn_k_norm.weight`);
    return [rotate(reshape(normedQ, 'shape_heads_q')), rotate(reshape(normedK, 'shape_heads_k')), v!];
  };

  return {
    layer(layer, qkv) {
      const pastK = graph.input(`past_k.${layer}`, precision, ['past', 'groups', headSize]);
      const pastV = graph.input(`past_v.${layer}`, precision, ['past', 'groups', headSize]);
      const [q, k, v] = rotated(layer, qkv);
      const newK = reshape(k, 'shape_kv');
      const newV = reshape(v, 'shape_kv');
      presents.push(newK, newV);
      const byGroup = graph.node('Transpose', [reshape(q, 'shape_q')], 1, { perm: [1, 0, 2, 3] })[0]!;
      const query = reshape(byGroup, 'shape_grouped_q');
      // transBatch reads [positions, groups, headSize] as [groups, positions, headSize] without copying it.
      const scoreOf = (keys: string) =>
        graph.microsoft('FusedMatMul', [query, keys], 1, {
          transB: 1,
          transBatchB: 1,
          alpha: { float: 1 / Math.sqrt(headSize) },
        })[0]!;
      const scores = graph.node('Concat', [scoreOf(pastK), scoreOf(newK)], 1, { axis: -1 })[0]!;
      const masked = graph.node('Add', [reshape(scores, 'shape_scores'), 'mask'])[0]!;
      const softmax = graph.node('Softmax', [masked], 1, { axis: -1 })[0]!;
      const [overPast, overNew] = graph.node(
        'Split',
        [reshape(softmax, 'shape_weights'), 'split_positions'],
        2,
        {
          axis: -1,
        },
      );
      const mixOf = (share: string, values: string) =>
        graph.microsoft('FusedMatMul', [share, values], 1, { transBatchB: 1 })[0]!;
      const mixed = graph.node('Add', [mixOf(overPast!, pastV), mixOf(overNew!, newV)])[0]!;
      const byStep = graph.node('Transpose', [reshape(mixed, 'shape_mixed')], 1, { perm: [1, 0, 2, 3] })[0]!;
      return reshape(byStep, 'shape_flat');
    },
    finish() {
      graph.node('Concat', presents, ['present'], { axis: 1 });
      graph.output('present', precision, ['steps', 'all_groups', headSize]);
    },
  };
};

/**
 * Attention as onnxruntime's GroupQueryAttention, rope included, over caches `past_k.N`, `past_v.N`
 * [batch, kvHeads, capacity, headSize] with outputs `present_k.N`, `present_v.N`, which a back end may bind to
 * the same buffers. Inputs `seqlens_k` [batch] (positions after this call, less one) and `total_positions` [].
 * Input `shape_batch` is [batch, steps, -1].
 */
export const gqaAttention: Build = (graph, weights, config, precision, tensors, slice) => {
  const { heads, kvHeads, headSize } = config;
  if (slice.end === slice.start) return { layer: () => '', finish: () => undefined };

  graph.input('seqlens_k', 'int32', ['batch']);
  graph.input('total_positions', 'int32', []);
  graph.input('shape_batch', 'int64', [3]);
  graph.int64('shape_flat', [-1, heads * headSize]);
  graph.int64('shape_norm_q', [-1, heads, headSize]);
  graph.int64('shape_norm_k', [-1, kvHeads, headSize]);
  graph.int64('split_q_k_v', [heads * headSize, kvHeads * headSize, kvHeads * headSize]);
  const norm = headNorm(graph, weights, config, tensors);
  const reshape = (x: string, shape: string) => graph.node('Reshape', [x, shape])[0]!;

  return {
    layer(layer, qkv) {
      const cacheShape = ['batch', kvHeads, 'capacity', headSize];
      const pastK = graph.input(`past_k.${layer}`, precision, cacheShape);
      const pastV = graph.input(`past_v.${layer}`, precision, cacheShape);
      let operands: [string, string, string] = [reshape(qkv, 'shape_batch'), '', ''];
      if (tensors.has(`blk.${layer}.attn_q_norm.weight`)) {
        // The operator's own q/k norm fails on CPU and, with packed QKV, on WebGPU.
        const [q, k, v] = graph.node('Split', [qkv, 'split_q_k_v'], 3, { axis: -1 });
        const normedQ = norm(reshape(q!, 'shape_norm_q'), `blk.${layer}.attn_q_norm.weight`);
        const normedK = norm(reshape(k!, 'shape_norm_k'), `blk.${layer}.attn_k_norm.weight`);
        operands = [
          reshape(normedQ, 'shape_batch'),
          reshape(normedK, 'shape_batch'),
          reshape(v!, 'shape_batch'),
        ];
      }
      const [mixed] = graph.microsoft(
        'GroupQueryAttention',
        [...operands, pastK, pastV, 'seqlens_k', 'total_positions', 'cos', 'sin'],
        [`mixed.${layer}`, `present_k.${layer}`, `present_v.${layer}`],
        {
          num_heads: heads,
          kv_num_heads: kvHeads,
          do_rotary: 1,
          rotary_interleaved: 0,
          scale: { float: 1 / Math.sqrt(headSize) },
        },
      );
      const presentShape = ['batch', kvHeads, 'present', headSize];
      graph.output(`present_k.${layer}`, precision, presentShape);
      graph.output(`present_v.${layer}`, precision, presentShape);
      return reshape(mixed!, 'shape_flat');
    },
    finish: () => undefined,
  };
};
