import { Readable } from 'node:stream';
import type { ReadConfig } from '../../config/index.ts';
import { runCommand } from '../run-command.ts';

export interface Run {
  code: number;
  /** Standard output. */
  out: string;
  /** Standard error. */
  notes: string;
  /** What `start` was called with. */
  started: ReadConfig | null;
}

export interface RunOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** Lines that somebody types at a terminal; without them there is no terminal. */
  typed?: string[];
  signal?: AbortSignal;
}

/** One command line in this process, with its output kept. */
export async function run(argv: string[], { cwd, env = {}, typed, signal }: RunOptions): Promise<Run> {
  const result: Run = { code: -1, out: '', notes: '', started: null };
  const input = Object.assign(Readable.from(typed?.map((line) => `${line}\n`) ?? []), {
    isTTY: typed !== undefined,
  });
  result.code = await runCommand(argv, env, {
    cwd,
    input,
    signal,
    out: { isTTY: typed !== undefined, write: (text) => (result.out += text) },
    notes: { write: (text) => (result.notes += text) },
    start: async (read) => {
      result.started = read;
    },
  });
  return result;
}
