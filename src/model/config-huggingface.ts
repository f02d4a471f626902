import { asRecord, shown } from './checks.ts';
import { checkConfig, requireArchitecture, unsupported } from './config.ts';
import { ModelError } from './errors.ts';
import type { ModelConfig } from './types.ts';

type Json = Readonly<Record<string, unknown>>;

/** Defaults of transformers' configuration classes, for keys that older files leave out. */
const DEFAULT_NORM_EPSILON = 1e-6;
const DEFAULT_ROPE_THETA = 10_000;
const QWEN3_HEAD_SIZE = 128;

/**
 * The configuration behind a config.json of transformers (llama, mistral, qwen2, qwen3).
 * Rope settings are read from `rope_parameters` (transformers 5) or `rope_theta` and `rope_scaling` (before).
 */
export function configFromHuggingFace(json: unknown): ModelConfig {
  const raw = asRecord(json, 'config.json');
  const modelType = raw.model_type;
  const architecture = requireArchitecture(modelType);
  refuseForeign(raw);
  const heads = raw.num_attention_heads;
  const ownHeadSize = raw.head_dim ?? (architecture === 'qwen3' ? QWEN3_HEAD_SIZE : undefined);
  const rope = ropeSettings(raw);
  return checkConfig({
    architecture,
    layers: raw.num_hidden_layers,
    width: raw.hidden_size,
    heads,
    // Only llama's default is the number of heads; elsewhere it is a constant that no real file relies on.
    kvHeads: raw.num_key_value_heads ?? (modelType === 'llama' ? heads : undefined),
    headSize: ownHeadSize ?? Number(raw.hidden_size) / Number(heads),
    ffnWidth: raw.intermediate_size,
    vocabulary: raw.vocab_size,
    contextLength: contextLength(raw, modelType),
    normEpsilon: raw.rms_norm_eps ?? DEFAULT_NORM_EPSILON,
    ropeTheta: rope.rope_theta ?? DEFAULT_ROPE_THETA,
    ropeScaling: ropeScaling(rope, raw),
    interleavedRope: false,
    tiedEmbedding: raw.tie_word_embeddings ?? false,
  });
}

function refuseForeign(raw: Json): void {
  const activation = raw.hidden_act ?? 'silu';
  if (activation !== 'silu') throw unsupported(`the activation ${shown(activation)}`);
  if (raw.quantization_config)
    throw new ModelError(
      'unsupported-type',
      'The weights are quantised by another library (quantization_config). Use the original weights or a GGUF file.',
    );
  if (raw.mlp_bias === true) throw unsupported('biases in the MLP (mlp_bias)');
  const experts = raw.num_experts ?? raw.num_local_experts ?? 0;
  if (experts !== 0) throw unsupported('a mixture of experts');
  if (raw.is_causal === false) throw unsupported('attention that is not causal');
}

/** Both spellings of the rope settings as one record, with `rope_theta` in it. */
function ropeSettings(raw: Json): Json {
  const own = raw.rope_parameters ?? raw.rope_scaling ?? {};
  const rope: Json = { rope_theta: raw.rope_theta, ...asRecord(own, 'The rope settings of config.json') };
  if ('full_attention' in rope || 'sliding_attention' in rope)
    throw unsupported('rope settings that differ by layer');
  const rotated = rope.partial_rotary_factor ?? raw.partial_rotary_factor ?? 1;
  if (rotated !== 1) throw unsupported(`partial rotary embedding (factor ${shown(rotated)})`);
  return rope;
}

function ropeScaling(rope: Json, raw: Json): unknown {
  const kind = rope.rope_type ?? rope.type ?? 'default';
  if (kind === 'default') return { kind: 'none' };
  if (kind === 'linear') return { kind: 'linear', factor: rope.factor };
  if (kind !== 'llama3') throw unsupported(`rope scaling ${shown(kind)}`);
  return {
    kind: 'llama3',
    factor: rope.factor,
    lowFrequencyFactor: rope.low_freq_factor,
    highFrequencyFactor: rope.high_freq_factor,
    originalContext: rope.original_max_position_embeddings ?? raw.max_position_embeddings,
  };
}

/** Attention here is over the whole context: inside the window of a sliding one, the two are the same. */
function contextLength(raw: Json, modelType: unknown): unknown {
  const length = raw.max_position_embeddings;
  const slides = modelType === 'mistral' || raw.use_sliding_window === true;
  const window = slides ? raw.sliding_window : null;
  return typeof window === 'number' && typeof length === 'number' ? Math.min(length, window) : length;
}
