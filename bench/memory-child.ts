/**
 * A process that only loads the default model and watches its own memory while it does; `memory.ts` starts it.
 * It prints one JSON object of bytes and milliseconds.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Arithmetic } from '../src/engine/index.ts';
import { loadEngine } from '../src/engine/node.ts';
import { wholeModel } from './model.ts';
import { engineSide } from './side.ts';

export interface MemoryReport {
  weightBytes: number;
  loadMs: number;
  /** Resident bytes above those before loading. */
  peak: number;
  rest: number;
}

const SAMPLE_MS = 20;
/** Long enough for a worker's garbage to go. */
const SETTLE_MS = 3000;

const arithmetic = process.argv[2] as Arithmetic;
const threads = Number(process.argv[3]);
const model = await wholeModel();
await settle();
const before = process.memoryUsage.rss();
let peak = 0;
const sampling = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss() - before);
}, SAMPLE_MS);
const start = performance.now();
const engine = await loadEngine({ ...model, arithmetic, threads, maxTokens: 512, measure: false });
const loadMs = performance.now() - start;
const { weightBytes } = engine.info;
await engineSide(arithmetic, engine).round(16, 4);
clearInterval(sampling);
await settle();
const report: MemoryReport = { weightBytes, loadMs, peak, rest: process.memoryUsage.rss() - before };
console.log(JSON.stringify(report));
await engine.dispose();

async function settle(): Promise<void> {
  globalThis.gc?.();
  await wait(SETTLE_MS);
  globalThis.gc?.();
}
