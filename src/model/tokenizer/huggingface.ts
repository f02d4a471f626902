import { shown } from '../checks.ts';
import { ModelError } from '../errors.ts';
import type { TokenizerSpec } from '../types.ts';
import {
  list,
  MAX_MERGES,
  MAX_TOKEN_LENGTH,
  MAX_TOKENS,
  malformed,
  record,
  tokenId,
  tokenText,
} from './checks.ts';
import { endsTurnByName } from './stop-tokens.ts';

/** Most added tokens; the largest in use (Phi, Qwen, Llama 3) have a few hundred. */
const MAX_ADDED = 1 << 16;

/**
 * The tokenizer of a Hugging Face folder: byte-pair models only (all of Llama, Mistral, SmolLM2 and Qwen).
 *
 * @param tokenizerJson the parsed tokenizer.json
 * @param tokenizerConfig the parsed tokenizer_config.json
 * @param generationConfig the parsed generation_config.json, where there is one
 * @throws ModelError `malformed`; `unsupported-type` for a model that is not BPE
 */
export function tokenizerSpecFromHuggingFace(
  tokenizerJson: unknown,
  tokenizerConfig: unknown,
  generationConfig?: unknown,
): TokenizerSpec {
  const json = record(tokenizerJson, 'tokenizer.json');
  const config = tokenizerConfig === undefined ? {} : record(tokenizerConfig, 'tokenizer_config.json');
  const model = record(json.model, 'its model');
  // Files of 2021 and before leave the type out.
  const type = model.type ?? (model.merges === undefined ? 'unnamed' : 'BPE');
  if (type !== 'BPE') {
    throw new ModelError(
      'unsupported-type',
      `This model's tokenizer is ${shown(type)}; BPE is read. Choose another model.`,
    );
  }
  const size = checkVocabulary(model.vocab);
  checkMerges(model.merges);
  const added = readAdded(json.added_tokens, size);
  const idOf = idLookup(model.vocab as Record<string, number>, added);

  const stop = new Set<number>();
  const eos = tokenName(config.eos_token);
  if (eos !== null) addId(stop, idOf(eos));
  const generation = generationConfig === undefined ? {} : record(generationConfig, 'generation_config.json');
  const limit = MAX_TOKENS + MAX_ADDED;
  const ends = generation.eos_token_id;
  for (const value of Array.isArray(ends) ? ends.slice(0, 64) : [ends]) addId(stop, tokenId(value, limit));
  for (const token of added) if (endsTurnByName(token.content)) stop.add(token.id);

  return {
    tokenizer: {
      ...json,
      added_tokens: added,
      normalizer: json.normalizer ?? null,
      pre_tokenizer: explicitPattern(json.pre_tokenizer ?? null, 0),
      post_processor: null,
      decoder: json.decoder ?? null,
      model: { ...model, type: 'BPE' },
    },
    config: {
      ...config,
      bos_token: tokenName(config.bos_token),
      eos_token: eos,
      unk_token: tokenName(config.unk_token),
      pad_token: tokenName(config.pad_token),
    },
    stopTokens: [...stop].sort((a, b) => a - b),
  };
}

function addId(ids: Set<number>, id: number | null): void {
  if (id !== null) ids.add(id);
}

function checkVocabulary(value: unknown): number {
  const entries = Object.entries(record(value, 'its vocabulary'));
  if (entries.length === 0) malformed('its vocabulary is empty');
  if (entries.length > MAX_TOKENS) malformed(`its vocabulary has ${entries.length} tokens`);
  for (const [text, id] of entries) {
    if (text.length > MAX_TOKEN_LENGTH) malformed(`a token is ${text.length} characters long`);
    if (tokenId(id, MAX_TOKENS) === null) malformed(`the id of token "${text.slice(0, 40)}" is not a number`);
  }
  return entries.length;
}

function checkMerges(value: unknown): void {
  const merges = list(value, 'its list of merges', MAX_MERGES);
  for (let rank = 0; rank < merges.length; rank++) {
    const merge = merges[rank];
    if (typeof merge === 'string') {
      if (merge.indexOf(' ', 1) < 0) malformed(`merge ${rank} is not a pair`);
    } else if (
      !Array.isArray(merge) ||
      merge.length !== 2 ||
      merge.some((part) => typeof part !== 'string')
    ) {
      malformed(`merge ${rank} is not a pair`);
    }
  }
}

interface AddedToken {
  id: number;
  content: string;
  special: boolean;
  [key: string]: unknown;
}

function readAdded(value: unknown, size: number): AddedToken[] {
  const entries = value === undefined || value === null ? [] : list(value, 'its added tokens', MAX_ADDED);
  return Array.from(entries, (entry, index) => {
    const token = record(entry, `added token ${index}`);
    const content = tokenText(token.content, `added token ${index}`);
    if (content === '') malformed(`added token ${index} is empty`);
    const id = tokenId(token.id, MAX_TOKENS + size);
    if (id === null) malformed(`the id of added token ${index} is not a number`);
    return { ...token, id, content, special: token.special === true };
  });
}

function idLookup(vocab: Record<string, number>, added: readonly AddedToken[]) {
  const ids = new Map(added.map((token) => [token.content, token.id]));
  return (text: string): number | null =>
    ids.get(text) ?? (Object.hasOwn(vocab, text) ? (vocab[text] ?? null) : null);
}

/** A token's text from tokenizer_config.json, where it is a string or an object with `content`. */
function tokenName(value: unknown): string | null {
  if (typeof value === 'string') return tokenText(value, 'a special token');
  if (typeof value !== 'object' || value === null) return null;
  const content = (value as { content?: unknown }).content;
  return typeof content === 'string' ? tokenText(content, 'a special token') : null;
}

// White space as Rust's regex takes it: `@huggingface/tokenizers` writes this one pattern with JavaScript's \s, which
// lacks U+0085 and has U+FEFF.
const BYTE_LEVEL_PATTERN =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\p{White_Space}\\p{L}\\p{N}]+|" +
  '\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+';

/** Replaces `ByteLevel` with its built-in pattern by an explicit split and a `ByteLevel` without one. */
function explicitPattern(value: unknown, depth: number): unknown {
  if (value === null) return null;
  if (depth > 8) malformed('its pre-tokenizer is nested too deeply');
  const pre = record(value, 'its pre-tokenizer');
  if (pre.type === 'Sequence') {
    const steps = list(pre.pretokenizers, 'its pre-tokenizer', 64);
    return { ...pre, pretokenizers: Array.from(steps, (step) => explicitPattern(step, depth + 1)) };
  }
  // With a prefix space the order of the two steps matters; no model that runs here has one.
  if (pre.type !== 'ByteLevel' || pre.use_regex === false || pre.add_prefix_space === true) return pre;
  return {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: BYTE_LEVEL_PATTERN }, behavior: 'Isolated', invert: false },
      { ...pre, use_regex: false },
    ],
  };
}
