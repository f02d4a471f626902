/** Tensor names of transformers (llama, mistral, qwen2, qwen3) and GGUF's names for them. */
const WHOLE: Readonly<Record<string, string>> = {
  'model.embed_tokens.weight': 'token_embd.weight',
  'model.norm.weight': 'output_norm.weight',
  'lm_head.weight': 'output.weight',
};

const IN_LAYER: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  post_attention_layernorm: 'ffn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

const LAYER = /^model\.layers\.(0|[1-9]\d{0,3})\.(.+)\.(weight|bias)$/;

/** The GGUF name; an unknown name stays as it is; null for buffers that old checkpoints carry and nothing needs. */
export function ggufNameOf(name: string): string | null {
  if (name.endsWith('rotary_emb.inv_freq')) return null;
  if (Object.hasOwn(WHOLE, name)) return WHOLE[name]!;
  const match = LAYER.exec(name);
  const inner = match && Object.hasOwn(IN_LAYER, match[2]!) ? IN_LAYER[match[2]!] : undefined;
  return inner === undefined ? name : `blk.${match![1]}.${inner}.${match![3]}`;
}
