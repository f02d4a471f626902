import type { Manifest, ManifestTensor, Slice } from '../../model/index.ts';
import { GraphBuilder } from '../onnx/index.ts';
import { EngineError } from '../types.ts';
import { dequantiseRows } from '../weights/index.ts';
import { gqaAttention, splitAttention } from './attention.ts';
import { ExternalData } from './external-data.ts';
import type { GraphForm } from './form.ts';
import { WeightWriter } from './linear.ts';
import { ropeTables } from './rope.ts';

export interface SliceGraph {
  /** The ONNX model without its weights. */
  model: Uint8Array;
  data: ExternalData;
}

/**
 * The ONNX graph of layers `[start, end)` and, when asked, of the head.
 *
 * Input `hidden` [rows, width]; output `hidden_out` [rows, width], or `logits` [wanted rows, vocabulary] for the
 * positions in input `rows`. Rows are positions of one session, or one position of each of several.
 * Residuals are plain Adds and every layer starts with its own norm, so that a chain of slices computes bit for
 * bit what the whole does.
 */
export function buildSliceGraph(manifest: Manifest, slice: Slice, form: GraphForm): SliceGraph {
  const { config } = manifest;
  const tensors = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]));
  const need = (name: string): ManifestTensor => {
    const tensor = tensors.get(name);
    if (!tensor) throw new EngineError('bad-input', `the model has no tensor ${name}; choose another file`);
    return tensor;
  };
  const graph = new GraphBuilder(`layers_${slice.start}_${slice.end}`);
  const data = new ExternalData();
  const weights = new WeightWriter(graph, data, form, config.headSize);
  const norm = (x: string, tensor: string) =>
    graph.node('SimplifiedLayerNormalization', [x, weights.vector(tensor, need(tensor))], 1, {
      axis: -1,
      epsilon: { float: config.normEpsilon },
      stash_type: 1,
    })[0]!;

  let x = graph.input('hidden', form.precision, ['rows', config.width]);
  if (slice.end > slice.start) {
    const factors = tensors.get('rope_freqs.weight');
    const half = config.headSize / 2;
    const tables = (sources: Uint8Array[]) =>
      ropeTables(
        config,
        form.positions,
        factors ? dequantiseRows(factors.type, sources[0]!, half, 0, 1) : null,
      );
    const from = factors ? [factors.name] : [];
    weights.floats('cos', [form.positions, half], from, (sources) => tables(sources).cos);
    weights.floats('sin', [form.positions, half], from, (sources) => tables(sources).sin);
  }
  const attention =
    form.attention === 'split'
      ? splitAttention(graph, weights, config, form.precision, tensors, slice)
      : gqaAttention(graph, weights, config, form.precision, tensors, slice);

  for (let layer = slice.start; layer < slice.end; layer++) {
    const name = (part: string) => `blk.${layer}.${part}`;
    const part = (stem: string, interleavedHeads?: number) => ({
      weight: need(name(`${stem}.weight`)),
      bias: tensors.get(name(`${stem}.bias`)),
      interleavedHeads: config.interleavedRope ? interleavedHeads : undefined,
    });
    const normed = norm(x, name('attn_norm.weight'));
    const qkv = weights.linear(normed, name('qkv'), [
      part('attn_q', config.heads),
      part('attn_k', config.kvHeads),
      part('attn_v'),
    ]);
    const mixed = attention.layer(layer, qkv);
    x = graph.node('Add', [x, weights.linear(mixed, name('attn_output'), [part('attn_output')])])[0]!;
    const normedAgain = norm(x, name('ffn_norm.weight'));
    const gateUp = weights.linear(normedAgain, name('gate_up'), [part('ffn_gate'), part('ffn_up')]);
    const [gate, up] = graph.node('Split', [gateUp], 2, { axis: -1, num_outputs: 2 });
    // QuickGelu with alpha 1 is SiLU, in one operator.
    const active = graph.microsoft('QuickGelu', [gate!], 1, { alpha: { float: 1 } })[0]!;
    const inner = graph.node('Mul', [active, up!])[0]!;
    x = graph.node('Add', [x, weights.linear(inner, name('ffn_down'), [part('ffn_down')])])[0]!;
  }
  attention.finish();

  if (slice.head) {
    const rows = graph.input('rows', 'int64', ['wanted']);
    const wanted = graph.node('Gather', [x, rows], 1, { axis: 0 })[0]!;
    const normed = norm(wanted, 'output_norm.weight');
    const matrix = need(config.tiedEmbedding ? 'token_embd.weight' : 'output.weight');
    const logits = weights.linear(normed, 'output', [{ weight: matrix }]);
    graph.node('Identity', [logits], ['logits']);
    graph.output('logits', form.precision, ['wanted', config.vocabulary]);
  } else {
    graph.node('Identity', [x], ['hidden_out']);
    graph.output('hidden_out', form.precision, ['rows', config.width]);
  }
  return { model: graph.build(), data };
}
