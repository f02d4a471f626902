import { shown } from '../checks.ts';
import { ModelError } from '../errors.ts';
import type { TokenizerSpec } from '../types.ts';
import { list, MAX_MERGES, MAX_TOKENS, malformed, tokenId, tokenText } from './checks.ts';
import { preTokenizerByName, preTokenizerNames } from './pre-tokenizers.ts';
import { endsTurnByName } from './stop-tokens.ts';

// Values of tokenizer.ggml.token_type.
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;

const KEY = 'tokenizer.ggml.';

/**
 * The tokenizer that a GGUF header carries, in the form of tokenizer.json: `gpt2` (byte-level BPE with one of
 * llama.cpp's named pre-tokenizers) or `llama` (SentencePiece BPE). For the latter the model carries `scores`, one per
 * token, and no merges: llama.cpp joins the neighbours whose joined token scores highest.
 *
 * @param metadata GGUF key-value pairs; arrays as lists or typed arrays, 64-bit integers as numbers or bigints
 * @returns null when the file has no tokenizer
 * @throws ModelError `malformed`; `unsupported-type` for a tokenizer or pre-tokenizer that this build does not know
 */
export function tokenizerSpecFromGguf(metadata: Record<string, unknown>): TokenizerSpec | null {
  const model = metadata[`${KEY}model`];
  if (model === undefined || model === 'none' || model === 'no_vocab') return null;
  if (model !== 'gpt2' && model !== 'llama') {
    throw new ModelError(
      'unsupported-type',
      `This model's tokenizer is ${shown(model)}; gpt2 and llama are read. Choose another model file.`,
    );
  }
  const tokens = readTokens(metadata);
  const special = specialTokens(metadata, tokens);
  const parts = model === 'gpt2' ? bytePairs(metadata) : sentencePieces(metadata, tokens);
  const vocab = vocabulary(tokens);
  return {
    tokenizer: {
      version: '1.0',
      added_tokens: special.added,
      post_processor: null,
      ...parts.around,
      model: { type: 'BPE', vocab, ...parts.model },
    },
    config: { ...special.config, clean_up_tokenization_spaces: false },
    stopTokens: special.stop,
  };
}

function readTokens(metadata: Record<string, unknown>): string[] {
  const values = list(metadata[`${KEY}tokens`], 'its list of tokens', MAX_TOKENS);
  if (values.length === 0) malformed('its list of tokens is empty');
  // llama.cpp gives an empty token a name too, so that it never matches.
  return Array.from(values, (value, id) => tokenText(value, `token ${id}`) || `[EMPTY_${id}]`);
}

function vocabulary(tokens: readonly string[]): Record<string, number> {
  // No prototype: a token may be called __proto__.
  const vocab: Record<string, number> = Object.create(null);
  for (let id = tokens.length - 1; id >= 0; id--) vocab[tokens[id]!] = id;
  return vocab;
}

interface AddedToken {
  id: number;
  content: string;
  /** Control tokens; otherwise the token is found in any text, as llama.cpp does with user-defined tokens. */
  special: boolean;
  normalized: false;
}

function specialTokens(metadata: Record<string, unknown>, tokens: readonly string[]) {
  const typesValue = metadata[`${KEY}token_type`];
  const types = typesValue === undefined ? null : list(typesValue, 'its list of token types', MAX_TOKENS);
  if (types && types.length < tokens.length) malformed('its list of token types is shorter than its tokens');

  const idOf = (name: string) => tokenId(metadata[`${KEY}${name}`], tokens.length);
  const bos = idOf('bos_token_id');
  const eos = idOf('eos_token_id');
  const stop = new Set<number>();
  for (const id of [eos, idOf('eot_token_id'), idOf('eom_token_id')]) if (id !== null) stop.add(id);

  const added: AddedToken[] = [];
  for (let id = 0; id < tokens.length; id++) {
    const content = tokens[id]!;
    const type = types ? Number(types[id]) : 1;
    const ends = endsTurnByName(content);
    if (ends) stop.add(id);
    const control = type === CONTROL || type === UNKNOWN || ends;
    if (control || type === USER_DEFINED) added.push({ id, content, special: control, normalized: false });
  }
  const text = (id: number | null) => (id === null ? null : (tokens[id] ?? null));
  const addBos = metadata[`${KEY}add_bos_token`];
  return {
    added,
    stop: [...stop].sort((a, b) => a - b),
    config: {
      bos_token: text(bos),
      eos_token: text(eos),
      unk_token: text(idOf('unknown_token_id')),
      pad_token: text(idOf('padding_token_id')),
      add_bos_token: typeof addBos === 'boolean' ? addBos : metadata[`${KEY}model`] === 'llama',
    },
  };
}

function bytePairs(metadata: Record<string, unknown>) {
  // A file without the key is older than it; llama.cpp takes its default there.
  const name = metadata[`${KEY}pre`] ?? 'default';
  const pre = typeof name === 'string' ? preTokenizerByName(name) : undefined;
  if (!pre) {
    throw new ModelError(
      'unsupported-type',
      `This model's pre-tokenizer is ${shown(name)}; these are read: ${preTokenizerNames.join(', ')}.`,
    );
  }
  const merges = Array.from(
    list(metadata[`${KEY}merges`], 'its list of merges', MAX_MERGES),
    (value, rank) => {
      const text = tokenText(value, `merge ${rank}`);
      // From 1: a piece may itself begin with a space.
      const space = text.indexOf(' ', 1);
      if (space < 0 || space === text.length - 1) malformed(`merge ${rank} is not a pair`);
      return [text.slice(0, space), text.slice(space + 1)];
    },
  );
  return {
    around: {
      normalizer: null,
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          ...pre.patterns.map((Regex) => ({
            type: 'Split',
            pattern: { Regex },
            behavior: 'Isolated',
            invert: false,
          })),
          { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
        ],
      },
      decoder: { type: 'ByteLevel' },
    },
    model: {
      merges,
      ignore_merges: pre.ignoreMerges,
      byte_fallback: false,
      // llama.cpp leaves out what a byte-level vocabulary lacks.
      unk_token: null,
    },
  };
}

function sentencePieces(metadata: Record<string, unknown>, tokens: readonly string[]) {
  const values = list(metadata[`${KEY}scores`], 'its list of scores', MAX_TOKENS);
  if (values.length < tokens.length) malformed('its list of scores is shorter than its tokens');
  const scores = Array.from(tokens, (_, id) => {
    const score = Number(values[id]);
    if (!Number.isFinite(score)) malformed(`the score of token ${id} is not a number`);
    return score;
  });
  const prefix = metadata[`${KEY}add_space_prefix`] !== false;
  const unknown = tokenId(metadata[`${KEY}unknown_token_id`], tokens.length);
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const fromMetaspace = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
  return {
    around: {
      normalizer: prefix
        ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, replace] }
        : replace,
      pre_tokenizer: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          fromMetaspace,
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
        ],
      },
    },
    model: {
      merges: [],
      scores,
      byte_fallback: true,
      ignore_merges: false,
      unk_token: unknown === null ? null : tokens[unknown],
    },
  };
}
