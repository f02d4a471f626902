import { shown } from './checks.ts';
import { checkConfig, requireArchitecture, unsupported } from './config.ts';
import { ModelError } from './errors.ts';
import type { ModelConfig, RopeScaling, TensorInfo } from './types.ts';

/** Keys that change the arithmetic in a way we do not have, and the value that means "off". */
const FOREIGN_KEYS: readonly (readonly [key: string, off: number, what: string])[] = [
  ['expert_count', 0, 'a mixture of experts'],
  ['attention.clamp_kqv', 0, 'clamped attention'],
  ['attention.max_alibi_bias', 0, 'ALiBi positions'],
  ['attn_logit_softcapping', 0, 'attention soft-capping'],
  ['final_logit_softcapping', 0, 'logit soft-capping'],
  ['logit_scale', 1, 'a logit scale'],
  ['embedding_scale', 1, 'an embedding scale'],
  ['residual_scale', 1, 'a residual scale'],
  ['attention.scale', 0, 'its own attention scale'],
];

/**
 * The configuration behind the keys of a GGUF file (names: llama.cpp, `gguf-py/gguf/constants.py`).
 * @param tensors gives what the keys leave out: the vocabulary and whether the embedding is tied
 */
export function configFromGguf(
  metadata: Readonly<Record<string, unknown>>,
  tensors: readonly TensorInfo[],
): ModelConfig {
  const prefix = metadata['general.architecture'];
  const architecture = requireArchitecture(prefix);
  // Mistral models are "llama" in GGUF; a file that says otherwise may order its rows otherwise too.
  if (architecture !== prefix) throw unsupported(`the architecture ${shown(prefix)} in a GGUF file`);
  const key = (name: string) => metadata[`${prefix}.${name}`];
  for (const [name, off, what] of FOREIGN_KEYS) {
    const value = key(name);
    if (value !== undefined && value !== off)
      throw unsupported(`${what} (${prefix}.${name} = ${shown(value)})`);
  }
  if (key('attention.causal') === false) throw unsupported('attention that is not causal');

  const width = key('embedding_length');
  const heads = everyLayer(key('attention.head_count'), 'head_count');
  const headSize = key('attention.key_length') ?? Number(width) / Number(heads);
  const valueSize = key('attention.value_length') ?? headSize;
  if (valueSize !== headSize) throw unsupported(`values of another size (${shown(valueSize)}) than keys`);
  const rotated = key('rope.dimension_count') ?? headSize;
  if (rotated !== headSize)
    throw unsupported(`partial rotary embedding (${shown(rotated)} of ${shown(headSize)} dimensions)`);
  const embedding = tensors.find((tensor) => tensor.name === 'token_embd.weight');
  if (!embedding)
    throw new ModelError(
      'missing-tensor',
      'The file has no token_embd.weight. It is incomplete: fetch it again.',
    );
  return checkConfig({
    architecture,
    layers: key('block_count'),
    width,
    heads,
    kvHeads: everyLayer(key('attention.head_count_kv') ?? heads, 'head_count_kv'),
    headSize,
    ffnWidth: everyLayer(key('feed_forward_length'), 'feed_forward_length'),
    vocabulary: embedding.shape[0],
    contextLength: contextLength(key('context_length'), key('attention.sliding_window')),
    normEpsilon: key('attention.layer_norm_rms_epsilon'),
    ropeTheta: key('rope.freq_base') ?? 10_000,
    ropeScaling: ropeScaling(
      key('rope.scaling.type'),
      key('rope.scaling.factor') ?? key('rope.scale_linear'),
    ),
    interleavedRope: architecture === 'llama',
    tiedEmbedding: !tensors.some((tensor) => tensor.name === 'output.weight'),
  });
}

/** Some keys may be one number or a list with one number per layer; lists that differ do not run. */
function everyLayer(value: unknown, what: string): unknown {
  if (!Array.isArray(value)) return value;
  if (value.some((item) => item !== value[0])) throw unsupported(`layers of different shapes (${what})`);
  return value[0];
}

/** Attention here is over the whole context: inside the window of a sliding one, the two are the same. */
function contextLength(length: unknown, window: unknown): unknown {
  if (typeof window !== 'number' || window <= 0 || typeof length !== 'number') return length;
  return Math.min(length, window);
}

/** The scaling of Llama 3 comes as a tensor, rope_freqs.weight, with the type left at none. */
function ropeScaling(type: unknown, factor: unknown): RopeScaling {
  const kind = type ?? (factor === undefined || factor === 1 || factor === 0 ? 'none' : 'linear');
  if (kind === 'none') return { kind: 'none' };
  if (kind === 'linear') return { kind: 'linear', factor: Number(factor) };
  throw unsupported(`rope scaling ${shown(kind)}`);
}
