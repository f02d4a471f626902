/**
 * Runs a model file greedily on the Node engine and prints one JSON object: does this file run here, how fast,
 * and what does it say?
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Tokenizer } from '../src/chat/index.ts';
import { type Arithmetic, type Engine, EngineError } from '../src/engine/index.ts';
import { loadSlice, nodePlatform } from '../src/engine/node.ts';
import {
  type Manifest,
  makeManifest,
  openModelFiles,
  readerOfSources,
  readTokenizer,
} from '../src/model/index.ts';
import { sourcesFrom } from '../src/model/node.ts';

const USAGE = `Usage: npm run -s probe -- --model SOURCE [options]

  --model SOURCE       a GGUF file, a folder with safetensors and config.json, or a URL of either
  --prompt TEXT        what to continue, as plain text (no chat template)
  --tokens 5,9,12      the same as token ids
  --new N              tokens to make (default 24; exactly N, also past an end-of-turn token)
  --cut LAYER          cut the model before this layer and run the parts as a chain; repeat for more cuts
  --arithmetic KIND    exact (default) or fast (int8 activations)
  --help               this text
`;

class ProbeError extends Error {
  override readonly name = 'ProbeError';
  readonly code = 'usage';
}

interface ProbeOptions {
  model: string;
  prompt: string | undefined;
  tokens: number[] | undefined;
  count: number;
  cuts: number[];
  arithmetic: Arithmetic;
}

function parseOptions(argv: string[]): ProbeOptions | null {
  const { values } = parseArgs({
    args: argv,
    options: {
      model: { type: 'string' },
      prompt: { type: 'string' },
      tokens: { type: 'string' },
      new: { type: 'string', default: '24' },
      cut: { type: 'string', multiple: true, default: [] },
      arithmetic: { type: 'string', default: 'exact' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return null;
  if (!values.model) throw new ProbeError('--model is missing: give a file, a folder or a URL');
  if (values.prompt !== undefined && values.tokens !== undefined)
    throw new ProbeError('give --prompt or --tokens, not both');
  if (values.arithmetic !== 'exact' && values.arithmetic !== 'fast')
    throw new ProbeError(`--arithmetic is exact or fast, not ${values.arithmetic}`);
  return {
    // npm runs scripts in the project's folder; a path is meant from where the user stands.
    model: /^(https?|file):/i.test(values.model)
      ? values.model
      : resolve(process.env.INIT_CWD ?? process.cwd(), values.model),
    prompt: values.prompt,
    tokens: values.tokens?.split(',').map((id) => wholeNumber('--tokens', id.trim(), 0)),
    count: wholeNumber('--new', values.new, 0),
    cuts: values.cut.map((cut) => wholeNumber('--cut', cut, 1)).sort((a, b) => a - b),
    arithmetic: values.arithmetic,
  };
}

function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (text === '' || !Number.isSafeInteger(value) || value < least)
    throw new ProbeError(`${flag} takes whole numbers from ${least} on, not "${text}"`);
  return value;
}

async function probe(options: ProbeOptions) {
  const opened = await openModelFiles(await sourcesFrom(options.model));
  const { manifest, cid } = await makeManifest(opened);
  const { config } = manifest;
  const spec = await readTokenizer(manifest, { sources: [opened.sources] });
  const tokenizer = spec && new Tokenizer(spec);
  const tokens = promptTokens(options, manifest, tokenizer);

  const edges = [0, ...options.cuts, config.layers];
  if (edges.some((edge, at) => at > 0 && edge <= edges[at - 1]!))
    throw new ProbeError(
      `--cut takes different layers from 1 to ${config.layers - 1}; this model has ${config.layers}`,
    );
  const reader = readerOfSources(manifest, opened.sources);
  // The reader stays open between the slices of a chain.
  const platform = { ...nodePlatform, openWeights: async () => ({ read: reader.read }) };
  const chain: Engine[] = [];
  for (let at = 0; at + 1 < edges.length; at++) {
    const [start, end] = [edges[at]!, edges[at + 1]!];
    chain.push(
      await loadSlice(platform, {
        manifest,
        slice: { start, end, embed: start === 0, head: end === config.layers },
        weights: { kind: 'files', files: [] },
        arithmetic: options.arithmetic,
        maxTokens: tokens.length + Math.max(1, options.count),
        measure: false,
      }),
    );
  }
  await reader.close?.();
  const run = await generate(chain, tokens, options.count);
  for (const engine of chain) await engine.dispose();
  return {
    architecture: config.architecture,
    name: manifest.name,
    layers: config.layers,
    tensor_types: countTypes(manifest),
    cid,
    slices: chain.map(({ info }) => [info.slice.start, info.slice.end]),
    arithmetic: chain[0]!.info.arithmetic,
    tokens_in: tokens,
    tokens_out: run.tokens,
    ...(tokenizer ? { text: tokenizer.decode(run.tokens) } : {}),
    logits: Array.from(run.logits),
    prefill_ms_per_token: run.prefillMs / tokens.length,
    decode_ms_per_token: run.decodeMs.length > 0 ? median(run.decodeMs) : null,
    peak_memory_bytes: process.resourceUsage().maxRSS * 1024,
  };
}

function promptTokens(
  { prompt, tokens }: ProbeOptions,
  { config }: Manifest,
  tokenizer: Tokenizer | null,
): number[] {
  if (tokens) return tokens;
  if (!tokenizer) {
    if (prompt !== undefined)
      throw new ProbeError(
        'this model carries no tokenizer (tokenizer.json): give --tokens instead of --prompt',
      );
    return [1 % config.vocabulary];
  }
  const ids = tokenizer.encode(prompt ?? 'The quick brown fox', { special: true });
  const bos =
    tokenizer.addBos && tokenizer.bosToken ? tokenizer.encode(tokenizer.bosToken, { special: true }) : [];
  const all = [...bos, ...ids];
  if (all.length === 0) throw new ProbeError('the prompt is empty: give some text');
  return all;
}

async function generate(chain: readonly Engine[], prompt: readonly number[], count: number) {
  const sessions = await Promise.all(chain.map((engine) => engine.open()));
  const forward = async (tokens: readonly number[]) => {
    let output = await chain[0]!.forward(sessions[0]!, { tokens });
    for (let hop = 1; hop < chain.length; hop++)
      output = await chain[hop]!.forward(sessions[hop]!, { hidden: output.hidden! });
    return output.logits!;
  };
  let started = performance.now();
  let logits = await forward(prompt);
  const prefillMs = performance.now() - started;
  const afterPrompt = logits.slice();
  const tokens: number[] = [];
  const decodeMs: number[] = [];
  while (tokens.length < count) {
    const token = logits.reduce((best, value, id) => (value > logits[best]! ? id : best), 0);
    tokens.push(token);
    if (tokens.length === count) break;
    started = performance.now();
    logits = await forward([token]);
    decodeMs.push(performance.now() - started);
  }
  return { tokens, logits: afterPrompt, prefillMs, decodeMs };
}

function countTypes({ tensors }: Manifest): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of tensors) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}

try {
  const options = parseOptions(process.argv.slice(2));
  console.log(options ? JSON.stringify(await probe(options)) : USAGE);
} catch (error) {
  const { message } = error as Error;
  // parseArgs names its own mistakes with ERR_PARSE_ARGS_…
  const code =
    error instanceof EngineError || error instanceof Error
      ? ((error as { code?: string }).code ?? 'failed')
      : 'failed';
  console.error(`probe: ${message}`);
  console.log(JSON.stringify({ error: { code, message } }));
  process.exitCode = 1;
}
