import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import type { TokenizerSpec } from '../model/index.ts';
import { ChatError } from './errors.ts';
import { mergeSymbols } from './merge.ts';
import { type AddedToken, LITERAL, SpecialTokens } from './special-tokens.ts';
import { type TokenAlphabet, tokenAlphabet, tokenBytes } from './token-bytes.ts';
import { Vocabulary } from './vocabulary.ts';

/** Longest text encoded in one call, in UTF-16 units: some 30 times the largest context in use. */
export const MAX_TEXT = 1 << 24;
/** Words worth remembering: everyday words come again, a pasted file of base64 does not. */
const CACHED_WORD_LENGTH = 32;
const CACHED_WORDS = 1 << 15;

/** A decoder that is fed one token at a time. */
export interface TokenStream {
  /** Text that has become whole with this token; a character split over tokens waits for its last byte. */
  push(id: number): string;
  /** Nothing, or what a decoder still held; bytes of a character that never became whole are dropped. */
  end(): string;
}

const encoder = new TextEncoder();

/**
 * Text ↔ token ids, equal to llama.cpp's. `@huggingface/tokenizers` normalises and cuts text into words (it reads every
 * form of tokenizer.json); finding special tokens, merging and streamed decoding are ours, for the reasons given there.
 */
export class Tokenizer {
  /** Token ids that end a turn. */
  readonly stopTokens: ReadonlySet<number>;
  /** Texts of the special tokens that chat templates name. */
  readonly bosToken: string | null;
  readonly eosToken: string | null;
  /** True when text outside a chat template begins with the BOS token. */
  readonly addBos: boolean;
  /** One more than the largest token id. */
  readonly size: number;

  readonly #vocabulary: Vocabulary;
  readonly #special: SpecialTokens;
  readonly #added: ReadonlyMap<number, AddedToken>;
  readonly #alphabet: TokenAlphabet;
  readonly #words: Pick<HuggingFaceTokenizer, 'normalizer' | 'pre_tokenizer'>;
  readonly #cache = new Map<string, readonly number[]>();

  /** @throws ChatError `tokenizer` when the spec asks for something that cannot be done */
  constructor(spec: TokenizerSpec) {
    const { tokenizer, config } = spec;
    const added = (tokenizer.added_tokens ?? []) as AddedToken[];
    this.#vocabulary = new Vocabulary(spec);
    this.#special = new SpecialTokens(added);
    this.#added = new Map(added.map((token) => [token.id, token]));
    this.#alphabet = tokenAlphabet(spec);
    try {
      this.#words = new HuggingFaceTokenizer(
        {
          added_tokens: [],
          normalizer: tokenizer.normalizer ?? null,
          pre_tokenizer: tokenizer.pre_tokenizer ?? null,
          post_processor: null,
          decoder: null,
          model: { type: 'BPE', vocab: {}, merges: [] },
        },
        {},
      );
    } catch (cause) {
      throw new ChatError('tokenizer', `This model's tokenizer cannot be used: ${String(cause)}`, { cause });
    }
    this.stopTokens = new Set(spec.stopTokens);
    this.bosToken = typeof config.bos_token === 'string' ? config.bos_token : null;
    this.eosToken = typeof config.eos_token === 'string' ? config.eos_token : null;
    this.addBos = config.add_bos_token === true && this.bosToken !== null;
    this.size = this.#vocabulary.size;
  }

  /**
   * Token ids of a text. No BOS token is added.
   * @param options.special when true, control tokens written out as text become their ids (llama.cpp's `parse_special`)
   * @throws ChatError `bad-request` for a text longer than MAX_TEXT
   */
  encode(text: string, options: { special: boolean }): number[] {
    return this.#encode(text, options.special, false);
  }

  /**
   * Token ids of a text that is to be continued as it is: as `encode` without control tokens, behind the BOS token where
   * the model wants one.
   * @throws ChatError `bad-request` for a text longer than MAX_TEXT
   */
  encodeText(text: string): number[] {
    const bos = this.addBos ? this.encode(this.bosToken ?? '', { special: true }) : [];
    return [...bos, ...this.encode(text, { special: false })];
  }

  /** Token ids of a rendered chat template whose contents went through `protect`. */
  encodePrompt(prompt: string): number[] {
    return this.#encode(prompt, true, true);
  }

  /** Marks a message's text so that `encodePrompt` finds no control token in it. */
  protect(text: string): string {
    return this.#special.protect(text);
  }

  /**
   * Text of token ids. Control tokens are left out unless `special`. Bytes that are no UTF-8 become U+FFFD.
   */
  decode(ids: readonly number[], options: { special?: boolean } = {}): string {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let text = '';
    for (const id of ids) text += decoder.decode(this.#bytes(id, options.special === true), { stream: true });
    text += decoder.decode();
    return this.#alphabet.stripFirstSpace && text.startsWith(' ') ? text.slice(1) : text;
  }

  /** The bytes that a token alone stands for, which may be half a character; a control token gives its name. */
  bytes(id: number): Uint8Array {
    return this.#bytes(id, true);
  }

  /** Decodes an answer as its tokens come. Control tokens give no text. */
  stream(): TokenStream {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let first = this.#alphabet.stripFirstSpace;
    return {
      push: (id) => {
        const text = decoder.decode(this.#bytes(id, false), { stream: true });
        if (!first || text === '') return text;
        first = false;
        return text.startsWith(' ') ? text.slice(1) : text;
      },
      // Without `stream: true` the decoder gives U+FFFD for the bytes it holds; an answer that was cut off inside a
      // character reads better without.
      end: () => {
        decoder.decode();
        return '';
      },
    };
  }

  #bytes(id: number, special: boolean): Uint8Array {
    const added = this.#added.get(id);
    if (added) return added.special && !special ? new Uint8Array() : encoder.encode(added.content);
    const text = id < this.size ? this.#vocabulary.text(id) : undefined;
    return text === undefined ? new Uint8Array() : tokenBytes(text, this.#alphabet);
  }

  #encode(text: string, special: boolean, marked: boolean): number[] {
    if (text.length > MAX_TEXT) {
      throw new ChatError(
        'bad-request',
        `The text is ${text.length} characters long; at most ${MAX_TEXT} can be read at once. Send a part of it.`,
      );
    }
    const ids: number[] = [];
    this.#special.split(text, special).forEach((section, index) => {
      if (typeof section === 'number') ids.push(section);
      else this.#encodeSection(marked ? section.replaceAll(LITERAL, '') : section, index, ids);
    });
    return ids;
  }

  #encodeSection(section: string, index: number, ids: number[]): void {
    const { normalizer, pre_tokenizer } = this.#words;
    // Half of a surrogate pair has no bytes; everything that writes UTF-8 puts U+FFFD in its place.
    const whole = section.replace(/\p{Surrogate}/gu, '\uFFFD');
    if (whole === '') return;
    const normal = normalizer ? normalizer.normalize(whole) : whole;
    if (normal === '') return;
    const words = pre_tokenizer ? pre_tokenizer.pre_tokenize(normal, { section_index: index }) : [normal];
    for (const word of words) for (const id of this.#encodeWord(word)) ids.push(id);
  }

  #encodeWord(word: string): readonly number[] {
    const known = this.#cache.get(word);
    if (known) return known;
    const ids = this.#mergeWord(word);
    if (word.length <= CACHED_WORD_LENGTH) {
      if (this.#cache.size >= CACHED_WORDS) this.#cache.clear();
      this.#cache.set(word, ids);
    }
    return ids;
  }

  #mergeWord(word: string): number[] {
    const vocabulary = this.#vocabulary;
    if (vocabulary.ignoreMerges) {
      const id = vocabulary.id(word);
      if (id !== undefined) return [id];
    }
    const symbols = new Int32Array(word.length);
    let characters = 0;
    for (const character of word) symbols[characters++] = vocabulary.symbol(character);
    const count = mergeSymbols(symbols.subarray(0, characters), vocabulary);
    const ids: number[] = [];
    for (let i = 0; i < count; i++) {
      const id = symbols[i]!;
      if (id < vocabulary.size) ids.push(id);
      else this.#fallBack(vocabulary.text(id)!, ids);
    }
    return ids;
  }

  /** A piece that is no token becomes its bytes, or the unknown token, or nothing. */
  #fallBack(piece: string, ids: number[]): void {
    const { byteFallback, unknown, fuseUnknown } = this.#vocabulary;
    if (byteFallback) {
      const bytes = Array.from(encoder.encode(piece), (byte) =>
        this.#vocabulary.id(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
      );
      if (bytes.every((id) => id !== undefined)) {
        ids.push(...bytes);
        return;
      }
    }
    if (unknown !== null && !(fuseUnknown && ids.at(-1) === unknown)) ids.push(unknown);
  }
}
