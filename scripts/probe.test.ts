import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FIXTURE = `${ROOT}fixtures/llama3-scaled-rope`;
const expected = JSON.parse(readFileSync(`${FIXTURE}/expected.json`, 'utf8')) as {
  prompt: number[];
  greedy: number[];
  logits_after_prompt: number[];
};

function probe(...args: string[]): Promise<{ code: number; json: Record<string, unknown> }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', 'scripts/probe.ts', ...args],
      { cwd: ROOT },
      (error, stdout) =>
        resolve({ code: Number(error?.code ?? 0), json: JSON.parse(stdout) as Record<string, unknown> }),
    );
  });
}

describe('the probe', () => {
  const tokens = ['--tokens', expected.prompt.join(','), '--new', '24'];

  test('says what a model is and continues it as PyTorch does', async () => {
    const { code, json } = await probe('--model', FIXTURE, ...tokens);
    expect(code).toBe(0);
    expect(json).toMatchObject({
      architecture: 'llama',
      layers: 4,
      tensor_types: { F32: 39 },
      tokens_in: expected.prompt,
      tokens_out: expected.greedy,
    });
    expect(json.cid).toMatch(/^baf[a-z2-7]+$/);
    (json.logits as number[]).forEach((logit, id) => {
      expect(logit).toBeCloseTo(expected.logits_after_prompt[id]!, 4);
    });
    for (const key of ['prefill_ms_per_token', 'decode_ms_per_token', 'peak_memory_bytes'])
      expect(json[key]).toBeGreaterThan(0);
  });

  test('gives bit-identical logits when the model is cut into a chain', async () => {
    const whole = await probe('--model', FIXTURE, ...tokens);
    const chain = await probe('--model', FIXTURE, ...tokens, '--cut', '1', '--cut', '3');
    expect(chain.json.slices).toEqual([
      [0, 1],
      [1, 3],
      [3, 4],
    ]);
    expect(chain.json.logits).toEqual(whole.json.logits);
    expect(chain.json.tokens_out).toEqual(whole.json.tokens_out);
  });

  test.each([
    ['no model', []],
    ['a file that is no model', ['--model', 'package.json']],
    ['a file that is not there', ['--model', 'nowhere.gguf']],
    ['a cut outside the model', ['--model', FIXTURE, '--cut', '9']],
    ['a token outside the vocabulary', ['--model', FIXTURE, '--tokens', '99999']],
    ['a prompt without a tokenizer', ['--model', FIXTURE, '--prompt', 'hi']],
    ['an unknown flag', ['--modle', 'x']],
  ])('answers %s with an error object', async (_name, args) => {
    const { code, json } = await probe(...args);
    expect(code).toBe(1);
    expect(json).toEqual({ error: { code: expect.any(String), message: expect.any(String) } });
  });
});
