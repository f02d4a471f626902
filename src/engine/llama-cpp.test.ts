import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getLlama, type Token } from 'node-llama-cpp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeManifest, openModelFiles } from '../model/index.ts';
import { sourcesFrom } from '../model/node.ts';
import { DEFAULT_MODEL, defaultModelHeader } from '../model/testing/default-model.ts';
import { type GgufValue, writeGguf } from '../model/testing/gguf-writer.ts';
import { loadEngine } from './node.ts';
import { argmax } from './testing/golden.ts';
import type { Engine } from './types.ts';
import { dequantiseRows } from './weights/index.ts';

const STEPS = 64;
/** In the model's own chat form, as the page asks it. */
const PROMPTS = [
  'What is the capital of France?',
  'Tell me a short story about a village by the sea.',
  'Write a Python function that returns the n-th Fibonacci number.',
  'Why does water boil at a lower temperature on a mountain?',
  'Write a polite letter that declines an invitation.',
].map((question) => `<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`);

interface Text {
  prompt: number[];
  answer: number[];
}

interface Agreement {
  share: number;
  /** How far llama.cpp's token lies below ours, over the distance from our best logit to the mean one. */
  differences: number[];
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-llama-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** llama.cpp's greedy continuations. */
async function llamaTexts(modelPath: string): Promise<Text[]> {
  const llama = await getLlama({ gpu: false, build: 'never', progressLogs: false });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({ contextSize: 512, threads: 2 });
  const sequence = context.getSequence();
  const texts: Text[] = [];
  for (const text of PROMPTS) {
    await sequence.clearHistory();
    const prompt = model.tokenize(text, true);
    const answer: number[] = [];
    let input: Token[] = prompt;
    while (answer.length < STEPS) {
      const results = await sequence.controlledEvaluate(
        input.map((token, at) =>
          at === input.length - 1
            ? [token, { generateNext: { token: true, options: { temperature: 0 } } }]
            : token,
        ),
      );
      const next = results.at(-1)?.next.token as Token;
      answer.push(next);
      input = [next];
    }
    texts.push({ prompt: [...prompt], answer });
  }
  await llama.dispose();
  return texts;
}

async function loadDefault(arithmetic: 'exact' | 'fast'): Promise<Engine> {
  const opened = await openModelFiles(await sourcesFrom(DEFAULT_MODEL));
  const { manifest } = await makeManifest(opened);
  await opened.sources[0]!.close?.();
  return loadEngine({
    manifest,
    slice: { start: 0, end: manifest.config.layers, embed: true, head: true },
    weights: { kind: 'files', files: [DEFAULT_MODEL] },
    arithmetic,
    maxTokens: 256,
  });
}

/** How often the engine would have picked the text's next token, given the text so far. */
async function follow(engine: Engine, texts: readonly Text[]): Promise<Agreement> {
  const differences: number[] = [];
  const { vocabulary } = engine.info;
  for (const { prompt, answer } of texts) {
    const session = await engine.open();
    const tokens = [...prompt, ...answer.slice(0, -1)];
    const rows = answer.map((_, at) => prompt.length - 1 + at);
    const { logits } = await engine.forward(session, { tokens }, { rows });
    answer.forEach((token, at) => {
      const row = logits!.subarray(at * vocabulary, (at + 1) * vocabulary);
      const best = argmax(row);
      if (best === token) return;
      const mean = row.reduce((sum, value) => sum + value, 0) / vocabulary;
      differences.push((row[best]! - row[token]!) / (row[best]! - mean));
    });
    await engine.close(session);
  }
  const positions = texts.length * STEPS;
  return { share: (positions - differences.length) / positions, differences };
}

/** The same weights as a float32 file, on which llama.cpp keeps its activations in float32 as well. */
async function writeFloat32(path: string): Promise<void> {
  const { metadata, tensors } = await defaultModelHeader();
  const bytes = await readFile(DEFAULT_MODEL);
  const plain = { ...metadata, 'general.file_type': 0 } as Record<string, GgufValue>;
  await writeFile(
    path,
    writeGguf({
      metadata: plain,
      tensors: tensors.map(({ name, type, shape, offset, bytes: length }) => {
        const columns = shape.at(-1)!;
        const rows = shape.length > 1 ? shape[0]! : 1;
        const values = dequantiseRows(type, bytes.subarray(offset, offset + length), columns, 0, rows);
        return { name, type: 'F32' as const, shape, data: new Uint8Array(values.buffer) };
      }),
    }),
  );
}

test('exact arithmetic picks the token that llama.cpp picks on the same weights in float32', async () => {
  const path = join(folder, 'float32.gguf');
  await writeFloat32(path);
  const texts = await llamaTexts(path);
  const engine = await loadDefault('exact');
  const { share, differences } = await follow(engine, texts);
  await engine.dispose();
  console.log(`float32 llama.cpp, exact: ${(100 * share).toFixed(1)} % agree`, differences);
  expect(share).toBeGreaterThanOrEqual(0.98);
  for (const difference of differences) expect(difference).toBeLessThan(0.001);
}, 240_000);

test('on the 4-bit file, where llama.cpp rounds activations to int8, every difference is a near tie', async () => {
  const texts = await llamaTexts(DEFAULT_MODEL);
  for (const arithmetic of ['exact', 'fast'] as const) {
    const engine = await loadDefault(arithmetic);
    const { share, differences } = await follow(engine, texts);
    await engine.dispose();
    console.log(`4-bit llama.cpp, ${arithmetic}: ${(100 * share).toFixed(1)} % agree`, differences);
    expect(share).toBeGreaterThanOrEqual(0.94);
    for (const difference of differences) expect(difference).toBeLessThan(0.02);
  }
}, 240_000);
