import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Arithmetic } from '../src/engine/index.ts';
import type { MemoryReport } from './memory-child.ts';
import { megabytes, type Table, times, verdict } from './table.ts';

/** One row of the memory table. */
export interface MemoryRow extends MemoryReport {
  name: string;
}

/** Loads the default model in a fresh Node process and reports what that process saw. */
export async function nodeMemory(arithmetic: Arithmetic, threads: number): Promise<MemoryRow> {
  const child = fileURLToPath(new URL('memory-child.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    ...['--import', 'tsx'],
    child,
    arithmetic,
    String(threads),
  ]);
  return { name: `Node CPU, ${arithmetic}`, ...(JSON.parse(stdout) as MemoryReport) };
}

export function memoryTable(rows: readonly MemoryRow[]): Table {
  const over = ({ weightBytes, program }: MemoryRow, bytes: number) => (bytes - program) / weightBytes;
  return {
    title: 'Memory and time to load',
    header: [
      'side',
      'load',
      'weights',
      'program',
      'peak',
      'at rest',
      'peak ÷ weights',
      'rest ÷ weights',
      'targets',
    ],
    rows: rows.map((row) => [
      row.name,
      `${(row.loadMs / 1000).toFixed(1)} s`,
      megabytes(row.weightBytes),
      megabytes(row.program),
      megabytes(row.peak),
      megabytes(row.rest),
      times(over(row, row.peak)),
      times(over(row, row.rest)),
      `${verdict(over(row, row.peak), 'at most', 2.2)}; ${verdict(over(row, row.rest), 'at most', 1.3)}`,
    ]),
    notes: [
      'Resident memory of the process (a fresh one for each row; in the tab: of its renderer) above that before loading, sampled every 20 ms while loading; at rest: seconds later.',
      '“Program” is what the same process takes for an engine that holds a model of half a megabyte: onnxruntime, the worker and its code. The ratios leave it out; the other columns include it.',
      'The file is on this machine’s disk (in the tab: already fetched), so the time to load is reading, hashing, repacking and starting onnxruntime.',
    ],
  };
}
