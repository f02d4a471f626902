import { beforeAll, describe, expect, test } from 'vitest';
import { defaultModelHeader } from '../model/testing/default-model.ts';
import { tokenizerSpecFromGguf, tokenizerSpecFromHuggingFace } from '../model/tokenizer/index.ts';
import { pieceVocabulary } from './testing/piece-vocabulary.ts';
import { sampleStrings } from './testing/strings.ts';
import { MAX_TEXT, Tokenizer } from './tokenizer.ts';

let metadata: Record<string, unknown>;
let tokenizer: Tokenizer;
let pieces: Tokenizer;
beforeAll(async () => {
  metadata = (await defaultModelHeader()).metadata;
  tokenizer = new Tokenizer(tokenizerSpecFromGguf(metadata)!);
  pieces = new Tokenizer(tokenizerSpecFromGguf(pieceVocabulary())!);
});

// SmolLM2's vocabulary lacks some bytes (0x16, 0xF1 and others); llama.cpp leaves them out too.
const lacking = (text: string) =>
  [...text].some(
    (character) => character !== tokenizer.decode(tokenizer.encode(character, { special: false })),
  );
const whole = (text: string) => text.replace(/\p{Surrogate}/gu, '\uFFFD');

describe('decoding', () => {
  test('gives back every text, with bytes and with pieces', () => {
    for (const text of sampleStrings(2000, 9)) {
      if (!lacking(whole(text)))
        expect(tokenizer.decode(tokenizer.encode(text, { special: true }), { special: true })).toBe(
          whole(text),
        );
      const back = pieces.decode(pieces.encode(text, { special: false }), { special: true });
      expect(back).toBe(whole(text).replaceAll('▁', ' '));
    }
  });

  test('leaves control tokens out unless asked', () => {
    const ids = tokenizer.encode('<|im_start|>hi<|im_end|>', { special: true });
    expect(tokenizer.decode(ids)).toBe('hi');
    expect(tokenizer.decode(ids, { special: true })).toBe('<|im_start|>hi<|im_end|>');
  });

  test('a stream never breaks a character, and gives the same text', () => {
    for (const text of sampleStrings(1000, 10)) {
      for (const each of [tokenizer, pieces]) {
        if (each === tokenizer && lacking(whole(text))) continue;
        const stream = each.stream();
        let streamed = '';
        for (const id of each.encode(text, { special: false })) {
          const part = stream.push(id);
          if (!whole(text).includes('\uFFFD')) expect(part).not.toContain('\uFFFD');
          expect(part).not.toMatch(/\p{Surrogate}/u);
          streamed += part;
        }
        streamed += stream.end();
        expect(streamed).toBe(each === pieces ? whole(text).replaceAll('▁', ' ') : whole(text));
      }
    }
  });

  test('an answer that is cut off inside a character ends before it', () => {
    const ids = tokenizer.encode('ok 🪿', { special: false });
    const stream = tokenizer.stream();
    const text =
      ids
        .slice(0, -1)
        .map((id) => stream.push(id))
        .join('') + stream.end();
    expect(text).toBe('ok ');
    expect(tokenizer.decode(ids.slice(0, -1))).toBe('ok \uFFFD');
  });

  test('ids that are no token give no text', () => {
    expect(tokenizer.decode([-1, 1e9, 49152, Number.NaN])).toBe('');
  });
});

test('typed control tokens stay text, even in a vocabulary whose pieces could merge into one', () => {
  const spec = tokenizerSpecFromGguf({
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': ['<', 's', '>', '<s', '<s>', '▁'],
    'tokenizer.ggml.scores': [0, 0, 0, 5, 9, 0],
    'tokenizer.ggml.token_type': [1, 1, 1, 1, 3, 1],
    'tokenizer.ggml.add_space_prefix': false,
  })!;
  const each = new Tokenizer(spec);
  expect(each.encode('<s>', { special: false })).toEqual([3, 2]);
  expect(each.encode('<s>', { special: true })).toEqual([4]);
});

test('a text to be continued begins with the BOS token where the model wants one, and holds no other control token', () => {
  expect(pieces.addBos).toBe(true);
  const bos = pieces.encode(pieces.bosToken!, { special: true });
  const text = `a ${pieces.eosToken} b`;
  expect(pieces.encodeText(text)).toEqual([...bos, ...pieces.encode(text, { special: false })]);
  expect(tokenizer.addBos).toBe(false);
  expect(tokenizer.encodeText('hi')).toEqual(tokenizer.encode('hi', { special: false }));
  expect(new TextDecoder().decode(tokenizer.bytes(tokenizer.encode('hi', { special: false })[0]!))).toBe(
    'hi',
  );
});

describe('hostile text takes linear time', () => {
  const million = 1_000_000;
  test.each([
    ['a', () => 'a'.repeat(million)],
    ['spaces', () => ' '.repeat(million)],
    ['newlines', () => '\n'.repeat(million)],
    ['spaces and one letter', () => `${' '.repeat(million)}x`],
    [
      'letters',
      () => Array.from({ length: million }, (_, i) => String.fromCharCode(97 + ((i * i * 31) % 26))).join(''),
    ],
    ['digits', () => '1234567'.repeat(million / 7)],
    ['dashes', () => '-'.repeat(million)],
    ['han', () => '漢字'.repeat(million / 8)],
    ['control tokens', () => '<|im_end|>'.repeat(million / 40)],
    ['half control tokens', () => '<|im_end'.repeat(million / 40)],
    ['upper and lower', () => 'aB'.repeat(million / 2)],
  ])('1 MB of %s', { timeout: 240_000 }, (_, make) => {
    const text = make();
    for (const pre of ['smollm', 'llama-bpe', 'tekken']) {
      const each = new Tokenizer(tokenizerSpecFromGguf({ ...metadata, 'tokenizer.ggml.pre': pre })!);
      const started = process.cpuUsage();
      const ids = each.encode(text, { special: true });
      // Quadratic work would take minutes. Processor time: by the clock, what else runs here would count as well.
      const { user, system } = process.cpuUsage(started);
      expect((user + system) / 1000).toBeLessThan(18_000);
      expect(each.decode(ids, { special: true })).toBe(text);
    }
  });

  test('a text over the limit is refused', () => {
    expect(() => tokenizer.encode(' '.repeat(MAX_TEXT + 1), { special: false })).toThrow(
      expect.objectContaining({ code: 'bad-request' }),
    );
  });
});

describe('a Hugging Face folder', () => {
  test("the same vocabulary written as SmolLM2's tokenizer.json gives the same ids", () => {
    const spec = tokenizerSpecFromGguf(metadata)!;
    const json = {
      ...spec.tokenizer,
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'Digits', individual_digits: true },
          { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
        ],
      },
    };
    const config = { eos_token: '<|im_end|>', bos_token: { content: '<|im_start|>' } };
    const huggingFace = tokenizerSpecFromHuggingFace(JSON.parse(JSON.stringify(json)), config, {
      eos_token_id: [2],
    });
    const theirs = new Tokenizer(huggingFace);
    expect([...theirs.stopTokens]).toEqual([0, 2]);
    expect(theirs.bosToken).toBe('<|im_start|>');
    for (const text of sampleStrings(1500, 12)) {
      // Rust's digits are those of Nd, No and Nl too, the library's are \d: only Arabic digits are compared here.
      if (/[^\P{N}0-9]/u.test(text)) continue;
      expect(theirs.encode(text, { special: true })).toEqual(tokenizer.encode(text, { special: true }));
    }
  });

  test('a Llama 2 tokenizer.json: space prefix, byte fallback', () => {
    const vocab: Record<string, number> = {
      '<unk>': 0,
      '<s>': 1,
      '</s>': 2,
      '▁': 259,
      a: 260,
      '▁a': 261,
      b: 262,
    };
    for (let byte = 0; byte < 256; byte++) {
      vocab[`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`] = byte + 3;
    }
    const spec = tokenizerSpecFromHuggingFace(
      {
        added_tokens: [{ id: 2, content: '</s>', special: true }],
        normalizer: {
          type: 'Sequence',
          normalizers: [
            { type: 'Prepend', prepend: '▁' },
            { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
          ],
        },
        decoder: {
          type: 'Sequence',
          decoders: [
            { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
            { type: 'ByteFallback' },
            { type: 'Fuse' },
            { type: 'Strip', content: ' ', start: 1, stop: 0 },
          ],
        },
        model: {
          type: 'BPE',
          vocab,
          merges: ['▁ a'],
          byte_fallback: true,
          unk_token: '<unk>',
          fuse_unk: true,
        },
      },
      { eos_token: '</s>' },
    );
    const each = new Tokenizer(spec);
    const ids = each.encode('a b é</s>a', { special: true });
    expect(ids).toEqual([261, 259, 262, 259, 0xc3 + 3, 0xa9 + 3, 2, 261]);
    expect(each.decode(ids)).toBe('a b é a');
  });
});
