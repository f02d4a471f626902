/**
 * A process that only loads the default model and watches its own memory while it does; `memory.ts` starts it.
 * It prints one JSON object of bytes and milliseconds.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Arithmetic } from '../src/engine/index.ts';
import { loadEngine } from '../src/engine/node.ts';
import { openFixture } from '../src/engine/testing/fixtures.ts';
import { wholeSlice } from '../src/model/index.ts';
import { wholeModel } from './model.ts';
import { engineSide } from './side.ts';

export interface MemoryReport {
  weightBytes: number;
  loadMs: number;
  /** Resident bytes that the engine's own code takes with a model of half a megabyte. */
  program: number;
  /** Resident bytes above those before loading, the program's included. */
  peak: number;
  rest: number;
}

const SAMPLE_MS = 20;
/** Long enough for freed buffers to go back to the system. */
const SETTLE_MS = 2000;

const arithmetic = process.argv[2] as Arithmetic;
const options = { arithmetic, threads: Number(process.argv[3]), maxTokens: 256, measure: false };
const model = await wholeModel();
const tiny = await openFixture('qwen3');

const beforeTiny = await settled();
const small = await loadEngine({ ...tiny, slice: wholeSlice(tiny.manifest), ...options });
const program = (await settled()) - beforeTiny;
await small.dispose();

const before = await settled();
let highest = before;
const sampling = setInterval(() => {
  highest = Math.max(highest, process.memoryUsage.rss());
}, SAMPLE_MS);
const start = performance.now();
const engine = await loadEngine({ ...model, ...options });
const loadMs = performance.now() - start;
clearInterval(sampling);
const { weightBytes } = engine.info;
await engineSide(arithmetic, engine).round(16, 4);
const rest = (await settled()) - before;
await engine.dispose();
const report: MemoryReport = { weightBytes, loadMs, program, peak: highest - before, rest };
console.log(JSON.stringify(report));

/** Resident bytes once garbage is gone. */
async function settled(): Promise<number> {
  globalThis.gc?.();
  await wait(SETTLE_MS);
  globalThis.gc?.();
  return process.memoryUsage.rss();
}
