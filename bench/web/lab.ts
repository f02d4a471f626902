/** The page of the bench: one side per page, driven from outside. */
import { openModel } from '../../e2e/lab/open-model.ts';
import { loadEngine } from '../../src/engine/web.ts';
import { wholeSlice } from '../../src/model/index.ts';
import { engineSide, type Measured, type Side } from '../side.ts';
import { wllamaSide } from './wllama.ts';

export interface LoadedSide {
  name: string;
  threads: number;
  loadMs: number;
  /** Bytes of weights as held; null where the side does not say. */
  weightBytes: number | null;
}

let side: Side | null = null;

async function loadShoal(
  folder: string,
  files: readonly string[],
  threads: number,
  maxTokens: number,
): Promise<LoadedSide> {
  const { manifest, weights } = await openModel(folder, files);
  const start = performance.now();
  const engine = await loadEngine({
    manifest,
    slice: wholeSlice(manifest),
    weights,
    backends: ['wasm'],
    threads,
    maxTokens,
    measure: false,
  });
  const loadMs = performance.now() - start;
  side = engineSide('Shoal', engine);
  return { name: side.name, threads: engine.info.threads, loadMs, weightBytes: engine.info.weightBytes };
}

async function loadWllama(file: string, threads: number, maxTokens: number): Promise<LoadedSide> {
  const loaded = await wllamaSide(`/models/${file}`, threads, maxTokens);
  side = loaded.side;
  return { name: side.name, threads: loaded.threads, loadMs: loaded.loadMs, weightBytes: null };
}

const bench = {
  load: (name: 'shoal' | 'wllama', file: string, threads: number, maxTokens: number): Promise<LoadedSide> =>
    name === 'shoal'
      ? loadShoal('/models', [file], threads, maxTokens)
      : loadWllama(file, threads, maxTokens),
  /** A model of half a megabyte: what is left is the program. */
  loadTiny: (threads: number): Promise<LoadedSide> =>
    loadShoal('/fixtures/qwen3', ['config.json', 'model.safetensors'], threads, 64),
  round(promptTokens: number, steps: number): Promise<Measured> {
    if (!side) throw new Error('load a side first');
    return side.round(promptTokens, steps);
  },
  close: async () => side?.close(),
};

declare global {
  interface Window {
    bench: typeof bench;
  }
}
window.bench = bench;
