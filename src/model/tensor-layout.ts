import { unsupported } from './config.ts';
import { ModelError } from './errors.ts';
import { isDense } from './tensor-types.ts';
import type { ModelConfig, TensorInfo } from './types.ts';

interface Expected {
  shape: readonly number[];
  required: boolean;
}

/** Buffers that old checkpoints carry and nothing needs: rope frequencies, causal masks. */
const IGNORED =
  /(rotary_emb\.inv_freq|rotary_pos_emb\.inv_freq|attn_rot_embd|\.masked_bias|\.attn\.bias)(\.weight)?$/;

/** Every tensor that a model of this configuration may have, by name, with its shape. */
export function expectedTensors(config: ModelConfig): Map<string, Expected> {
  const { width, ffnWidth, headSize, vocabulary, architecture } = config;
  const queries = config.heads * headSize;
  const keys = config.kvHeads * headSize;
  const expected = new Map<string, Expected>();
  const add = (name: string, shape: number[], required = true) => expected.set(name, { shape, required });
  add('token_embd.weight', [vocabulary, width]);
  add('output_norm.weight', [width]);
  if (!config.tiedEmbedding) add('output.weight', [vocabulary, width]);
  add('rope_freqs.weight', [headSize / 2], false);
  for (let layer = 0; layer < config.layers; layer++) {
    const at = (name: string) => `blk.${layer}.${name}`;
    add(at('attn_norm.weight'), [width]);
    add(at('attn_q.weight'), [queries, width]);
    add(at('attn_k.weight'), [keys, width]);
    add(at('attn_v.weight'), [keys, width]);
    add(at('attn_output.weight'), [width, queries]);
    add(at('ffn_norm.weight'), [width]);
    add(at('ffn_gate.weight'), [ffnWidth, width]);
    add(at('ffn_up.weight'), [ffnWidth, width]);
    add(at('ffn_down.weight'), [width, ffnWidth]);
    add(at('attn_q.bias'), [queries], architecture === 'qwen2');
    add(at('attn_k.bias'), [keys], architecture === 'qwen2');
    add(at('attn_v.bias'), [keys], architecture === 'qwen2');
    add(at('attn_output.bias'), [width], false);
    if (architecture === 'qwen3') {
      add(at('attn_q_norm.weight'), [headSize]);
      add(at('attn_k_norm.weight'), [headSize]);
    }
  }
  return expected;
}

/**
 * Holds the tensors of a file against its configuration: each one that is needed is there, each has the shape the
 * configuration says, and none would be left out of the arithmetic.
 * @returns the tensors that are used, in the order given
 * @throws ModelError `missing-tensor`, `wrong-shape`, `unsupported-architecture`, `unsupported-type`
 */
export function checkTensors<T extends TensorInfo>(config: ModelConfig, tensors: readonly T[]): T[] {
  const expected = expectedTensors(config);
  const used = tensors.filter((tensor) => {
    if (expected.has(tensor.name)) return true;
    // Some checkpoints of tied models store the embedding a second time.
    if (IGNORED.test(tensor.name) || (config.tiedEmbedding && tensor.name === 'output.weight')) return false;
    throw unsupported(`the tensor ${tensor.name.slice(0, 120)}, unknown in ${config.architecture} models`);
  });
  for (const tensor of used) checkOne(tensor, expected.get(tensor.name)!.shape);
  const present = new Set(used.map((tensor) => tensor.name));
  for (const [name, { required }] of expected) {
    if (required && !present.has(name))
      throw new ModelError(
        'missing-tensor',
        `The model has no ${name}, which ${config.architecture} needs. The files are incomplete: fetch them again.`,
      );
  }
  checkBiases(config, present);
  return used;
}

function checkOne(tensor: TensorInfo, shape: readonly number[]): void {
  if (tensor.shape.length !== shape.length || tensor.shape.some((n, i) => n !== shape[i]))
    throw new ModelError(
      'wrong-shape',
      `${tensor.name} has shape [${tensor.shape.join(', ')}]; the configuration says [${shape.join(', ')}]. ` +
        'The file is damaged or its configuration belongs to another model.',
    );
  if (shape.length === 1 && !isDense(tensor.type))
    throw new ModelError(
      'unsupported-type',
      `${tensor.name} is a vector stored as ${tensor.type}; vectors run as F32, F16 or BF16. Convert the model again.`,
    );
}

/** Q, K and V are computed by one multiplication: their biases come together, in every layer or in none. */
function checkBiases(config: ModelConfig, present: ReadonlySet<string>): void {
  for (const kinds of [['attn_q', 'attn_k', 'attn_v'], ['attn_output']]) {
    const names = kinds.flatMap((kind) =>
      Array.from({ length: config.layers }, (_, i) => `blk.${i}.${kind}.bias`),
    );
    const missing = names.find((name) => !present.has(name));
    if (missing !== undefined && names.some((name) => present.has(name)))
      throw new ModelError(
        'missing-tensor',
        `The model has no ${missing}, though it has other biases of its kind. The files are incomplete: fetch them again.`,
      );
  }
}
