import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-common';
import type { Arithmetic, LoadOptions } from '../src/engine/index.ts';
import { loadSlice, nodePlatform } from '../src/engine/node.ts';
import type { Platform } from '../src/engine/platform.ts';
import { tokenAt } from './side.ts';
import { ms, percent, type Table } from './table.ts';

const PROMPT_TOKENS = 128;
/** Runs that are counted, after a first prompt that is not. */
const REPEATS = { decode: 24, prefill: 3 };
/** Operators by what they are for; whatever is not here is listed as the rest. */
const KINDS: [kind: string, operators: RegExp][] = [
  ['matrix products, those of attention included', /^(MatMulNBits|Gemm|FusedGemm|MatMul|FusedMatMul)$/],
  ['softmax and rope', /^(GroupQueryAttention|Softmax|RotaryEmbedding)$/],
  ['norms and residuals', /^(SimplifiedLayerNormalization|SkipSimplifiedLayerNormalization|Add)$/],
  ['block-sum offsets', /^Reduce/],
];

const OTHER = 'other operators';

/** What onnxruntime writes: microseconds. */
interface ProfileEvent {
  cat: string;
  name: string;
  ts: number;
  dur: number;
  args?: { op_name?: string };
}

/** Where the time of a step goes, by onnxruntime's own profiler; run on the thread itself, without a worker. */
export async function profile(model: Model, arithmetic: Arithmetic, threads: number): Promise<Table> {
  const plainDecode = await timed(model, arithmetic, threads, 'decode', null);
  const plainPrefill = await timed(model, arithmetic, threads, 'prefill', null);
  const decode = await profiled(model, arithmetic, threads, 'decode');
  const prefill = await profiled(model, arithmetic, threads, 'prefill');
  const kinds = [...KINDS.map(([kind]) => kind), OTHER].filter(
    (kind) => decode.shares.has(kind) || prefill.shares.has(kind),
  );
  const row = (name: string, of: (part: Part) => number) => [
    name,
    ms(of(decode)),
    percent(of(decode) / decode.wall),
    ms(of(prefill)),
    percent(of(prefill) / prefill.wall),
  ];
  return {
    title: `Node CPU, ${arithmetic}: where the time goes`,
    header: ['part', 'decode', 'share', `prefill(${PROMPT_TOKENS})`, 'share'],
    rows: [
      ...kinds.map((kind) => row(kind, (part) => part.shares.get(kind) ?? 0)),
      row('onnxruntime between operators', (part) => part.runs - part.operators),
      row('binding, caches and embedding', (part) => part.wall - part.runs),
      row('whole', (part) => part.wall),
    ],
    notes: [
      `Per token, by onnxruntime’s profiler. Its own clock reading weighs on small operators: without it a step takes ${ms(plainDecode)} and a token of the prompt ${ms(plainPrefill)}.`,
    ],
  };
}

type Model = Pick<LoadOptions, 'manifest' | 'slice' | 'weights'>;

interface Part {
  /** Milliseconds per token, all of them. */
  wall: number;
  runs: number;
  operators: number;
  /** Of the operators, by kind. */
  shares: Map<string, number>;
}

async function profiled(
  model: Model,
  arithmetic: Arithmetic,
  threads: number,
  what: 'decode' | 'prefill',
): Promise<Part> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-profile-'));
  try {
    const wall = await timed(model, arithmetic, threads, what, folder);
    return { wall, ...(await readProfiles(folder, what)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * @param folder where every session of onnxruntime leaves its profile; null for none
 * @returns milliseconds per token
 */
async function timed(
  model: Model,
  arithmetic: Arithmetic,
  threads: number,
  what: 'decode' | 'prefill',
  folder: string | null,
): Promise<number> {
  const sessions: InferenceSession[] = [];
  const platform = folder === null ? nodePlatform : profilingPlatform(folder, sessions);
  const engine = await loadSlice(platform, { ...model, arithmetic, threads, maxTokens: 256, measure: false });
  const tokens = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => tokenAt(from + at, engine.info.vocabulary));
  const session = await engine.open();
  await engine.forward(session, { tokens: tokens(0, PROMPT_TOKENS) });
  let wall = 0;
  for (let at = PROMPT_TOKENS; at < PROMPT_TOKENS + REPEATS[what]; at++) {
    if (what === 'prefill') await engine.truncate(session, 0);
    const start = performance.now();
    await engine.forward(session, {
      tokens: what === 'prefill' ? tokens(0, PROMPT_TOKENS) : tokens(at, at + 1),
    });
    wall += performance.now() - start;
  }
  for (const one of sessions) one.endProfiling();
  await engine.dispose();
  return wall / tokensOf(what);
}

/** Node's platform, with onnxruntime's profiler on. */
function profilingPlatform(folder: string, sessions: InferenceSession[]): Platform {
  return {
    ...nodePlatform,
    async plan(backend, request) {
      const plan = await nodePlatform.plan(backend, request);
      let files = 0;
      const sessionOptions = {
        ...plan.sessionOptions,
        enableProfiling: true,
        // Read once for each session: a slice runs as several, and onnxruntime's own names repeat within a second.
        get profileFilePrefix() {
          return join(folder, String(files++));
        },
      };
      return {
        ...plan,
        sessionOptions,
        makeRunner: (session, ...rest) => {
          sessions.push(session);
          return plan.makeRunner(session, ...rest);
        },
      };
    },
  };
}

function tokensOf(what: 'decode' | 'prefill'): number {
  return REPEATS[what] * (what === 'prefill' ? PROMPT_TOKENS : 1);
}

/** Adds up the runs of every session that count: the last ones. */
async function readProfiles(folder: string, what: 'decode' | 'prefill'): Promise<Omit<Part, 'wall'>> {
  const perToken = tokensOf(what);
  const part: Omit<Part, 'wall'> = { runs: 0, operators: 0, shares: new Map() };
  for (const file of await readdir(folder)) {
    const events = JSON.parse(await readFile(join(folder, file), 'utf8')) as ProfileEvent[];
    const runs = events
      .filter(({ cat, name }) => cat === 'Session' && name === 'model_run')
      .sort((a, b) => a.ts - b.ts)
      .slice(-REPEATS[what]);
    for (const { dur } of runs) part.runs += dur / 1000 / perToken;
    for (const { cat, name, ts, dur, args } of events) {
      if (cat !== 'Node' || !name.endsWith('_kernel_time') || ts < runs[0]!.ts) continue;
      const operator = args?.op_name ?? 'unnamed';
      const kind = KINDS.find(([, operators]) => operators.test(operator))?.[0] ?? OTHER;
      const time = dur / 1000 / perToken;
      part.operators += time;
      part.shares.set(kind, (part.shares.get(kind) ?? 0) + time);
    }
  }
  return part;
}
