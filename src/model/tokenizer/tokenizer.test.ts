import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ModelError } from '../errors.ts';
import { tokenizerSpecFromGguf, tokenizerSpecFromHuggingFace } from './index.ts';

const good = {
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'smollm',
  'tokenizer.ggml.tokens': ['a', 'b', 'ab', '<|im_end|>', '<x>', '__proto__'],
  'tokenizer.ggml.token_type': [1, 1, 1, 3, 4, 1],
  'tokenizer.ggml.merges': ['a b'],
  'tokenizer.ggml.eos_token_id': 3,
};

const pieces = {
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': ['<unk>', '</s>', 'a'],
  'tokenizer.ggml.scores': new Float32Array(3),
};

describe('a tokenizer in a GGUF header', () => {
  test('is read; special tokens, stop tokens and a token called __proto__ included', () => {
    const spec = tokenizerSpecFromGguf({ ...good, 'tokenizer.ggml.eot_token_id': 2n })!;
    expect(spec.stopTokens).toEqual([2, 3]);
    expect(spec.tokenizer.added_tokens).toMatchObject([
      { id: 3, content: '<|im_end|>', special: true },
      { id: 4, content: '<x>', special: false },
    ]);
    const { vocab } = spec.tokenizer.model as { vocab: Record<string, number> };
    expect(Object.entries(vocab).length).toBe(6);
    expect(Object.entries(vocab)).toContainEqual(['__proto__', 5]);
  });

  test('is null where there is none', () => {
    expect(tokenizerSpecFromGguf({})).toBeNull();
  });

  test.each([
    [{ 'tokenizer.ggml.model': 'bert' }, 'unsupported-type', 'bert'],
    [{ 'tokenizer.ggml.pre': 'viking' }, 'unsupported-type', 'viking'],
    [{ 'tokenizer.ggml.pre': 5 }, 'unsupported-type', '5'],
    [{ 'tokenizer.ggml.tokens': undefined }, 'malformed', 'tokens'],
    [{ 'tokenizer.ggml.tokens': [] }, 'malformed', 'empty'],
    [{ 'tokenizer.ggml.tokens': ['a', 5] }, 'malformed', 'token 1'],
    [{ 'tokenizer.ggml.tokens': ['a'.repeat(1e6)] }, 'malformed', 'token 0'],
    [{ 'tokenizer.ggml.tokens': { length: 1e9 } }, 'malformed', 'tokens'],
    [{ 'tokenizer.ggml.tokens': new Array(2 ** 20 + 1).fill('a') }, 'malformed', '1048577'],
    [{ 'tokenizer.ggml.token_type': [1] }, 'malformed', 'types'],
    [{ 'tokenizer.ggml.merges': ['ab'] }, 'malformed', 'merge 0'],
    [{ 'tokenizer.ggml.merges': ['a '] }, 'malformed', 'merge 0'],
    [{ 'tokenizer.ggml.merges': undefined }, 'malformed', 'merges'],
  ])('a bad one is refused by name (%#)', (change, code, word) => {
    const read = () => tokenizerSpecFromGguf({ ...good, ...change });
    expect(read).toThrow(expect.objectContaining({ code, message: expect.stringContaining(word) }));
  });

  test.each([
    [{ 'tokenizer.ggml.scores': undefined }],
    [{ 'tokenizer.ggml.scores': new Float32Array(1) }],
    [{ 'tokenizer.ggml.scores': [0, Number.NaN, 0] }],
  ])('bad scores are refused (%#)', (change) => {
    expect(() => tokenizerSpecFromGguf({ ...pieces, ...change })).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    );
  });
});

/** The same run every time. One unlike it, of random seeds, found a `toString` that is no function. */
const SEED = 20_261_121;

test('whatever a file says, the error is typed', () => {
  const anything = fc.oneof(
    fc.anything(),
    fc.array(fc.string()),
    fc.array(fc.integer()),
    fc.string(),
    fc.bigInt(),
  );
  const check = (read: () => unknown) => {
    try {
      read();
    } catch (error) {
      expect(error).toBeInstanceOf(ModelError);
    }
  };
  const untold = { toString: '' };
  for (const name of Object.keys(good)) check(() => tokenizerSpecFromGguf({ ...good, [name]: untold }));
  fc.assert(
    fc.property(fc.constantFrom(good, pieces), fc.nat(6), anything, (base, key, value) => {
      const name = Object.keys(base)[key % Object.keys(base).length]!;
      check(() => tokenizerSpecFromGguf({ ...base, [name]: value }));
    }),
    { numRuns: 20_000, seed: SEED },
  );
  const model = { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'] };
  const json = { added_tokens: [{ id: 3, content: 'x' }], pre_tokenizer: { type: 'ByteLevel' }, model };
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(json), ...Object.keys(model), '-'), anything, (key, value) => {
      const changed = Object.hasOwn(model, key)
        ? { ...json, model: { ...model, [key]: value } }
        : { ...json, [key]: value };
      check(() => tokenizerSpecFromHuggingFace(changed, { eos_token: 'x' }));
      check(() => tokenizerSpecFromHuggingFace(json, key === '-' ? value : { eos_token: value }, value));
    }),
    { numRuns: 20_000, seed: SEED },
  );
});
