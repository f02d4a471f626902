/** Types shared by every reader of model files. Nothing here touches bytes. */

/** Storage types of tensors that Shoal reads; the names are GGUF's. */
export type TensorType =
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K';

/** Architectures that run. Mistral and SmolLM2 are `llama`. */
export type Architecture = 'llama' | 'qwen2' | 'qwen3';

/** Rope frequency scaling. */
export type RopeScaling =
  | { kind: 'none' }
  | { kind: 'linear'; factor: number }
  | {
      kind: 'llama3';
      factor: number;
      lowFrequencyFactor: number;
      highFrequencyFactor: number;
      originalContext: number;
    };

/** What a graph needs to know about a model; every number is validated when the file is read. */
export interface ModelConfig {
  architecture: Architecture;
  /** Transformer layers. */
  layers: number;
  /** Width of the hidden state. */
  width: number;
  heads: number;
  kvHeads: number;
  headSize: number;
  ffnWidth: number;
  vocabulary: number;
  /** Most tokens a session may hold. A sliding window, where a model has one, caps it. */
  contextLength: number;
  normEpsilon: number;
  ropeTheta: number;
  ropeScaling: RopeScaling;
  /** True when Q and K rows are interleaved (GGUF files of `llama`): the repacker un-permutes them. */
  interleavedRope: boolean;
  /** True when the output matrix is the embedding. */
  tiedEmbedding: boolean;
}

/**
 * One tensor of a model, under its GGUF name whatever the file format:
 * `token_embd.weight`, `output_norm.weight`, `output.weight` (absent when tied), `rope_freqs.weight` (optional),
 * `blk.N.{attn_norm,attn_q,attn_k,attn_v,attn_output,ffn_norm,ffn_gate,ffn_up,ffn_down}.weight`,
 * optional `blk.N.attn_{q,k,v,output}.bias`, `blk.N.attn_{q,k}_norm.weight`.
 */
export interface TensorInfo {
  name: string;
  type: TensorType;
  /** Row-major: `[rows, columns]` for a matrix, `[n]` for a vector. */
  shape: readonly number[];
  /** Index into the files of the model. */
  file: number;
  /** Byte offset in that file. */
  offset: number;
  bytes: number;
}

/** A run of bytes that carries the tokenizer (a GGUF header, or tokenizer.json and its config). */
export interface HashedRange {
  file: number;
  offset: number;
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
}

export interface ManifestTensor extends TensorInfo {
  /** Lower-case hex of the tensor's bytes. */
  sha256: string;
}

/** The description of a model, from which its cid is computed. It names no source: only contents. */
export interface Manifest {
  version: 1;
  name: string;
  config: ModelConfig;
  /** File names without folders, with their sizes. */
  files: { name: string; bytes: number }[];
  /** In file order. */
  tensors: ManifestTensor[];
  /** Null when the files carry no tokenizer. */
  tokenizer: { kind: 'gguf' | 'huggingface'; ranges: HashedRange[] } | null;
  chatTemplate: string | null;
}

/** What `@huggingface/tokenizers` takes: the contents of tokenizer.json and tokenizer_config.json. */
export interface TokenizerSpec {
  tokenizer: Record<string, unknown>;
  config: Record<string, unknown>;
  /** Token ids that end a turn. */
  stopTokens: number[];
}

/** Random access to the bytes of one file: a path, a picked `File`, a URL, or memory. */
export interface ByteSource {
  /** File name without folders. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Reads exactly `length` bytes.
   * @throws ModelError `truncated` past the end, `unreachable` when the source fails, `aborted`
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  close?(): Promise<void>;
}

/** Contiguous layers `[start, end)`, with the embedding before them and the head after them when asked. */
export interface Slice {
  start: number;
  end: number;
  /** Carries the embedding table: input is token ids. */
  embed: boolean;
  /** Carries the final norm and the output matrix: output is logits. */
  head: boolean;
}

/** Bytes of tensors by name, checked against the manifest's hashes. */
export interface TensorReader {
  read(name: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** Lets go of open files. */
  close?(): Promise<void>;
}

/**
 * Where a worker finds the tensors of a manifest; structured-cloneable, so that it can be posted.
 * `store`: the content-addressed store of this platform (OPFS, or the folder `root` in Node).
 * `files`: whole model files, in manifest order: paths in Node, `File`/`Blob` in a tab.
 * `memory`: bytes by sha256.
 */
export type WeightsLocation =
  | { kind: 'store'; root?: string }
  | { kind: 'files'; files: (string | Blob)[] }
  | { kind: 'memory'; tensors: Map<string, Uint8Array> };
