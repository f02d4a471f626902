import type { OwnFlag, ReadConfig } from '../config/index.ts';

/** Where a command writes; a stream of the process, or a test's. */
export interface Output {
  isTTY?: boolean;
  write(text: string): unknown;
}

/** What a command works with. */
export interface CommandContext extends ReadConfig {
  env: NodeJS.ProcessEnv;
  cwd: string;
  out: Output;
  /** For what is no result: notes and questions. */
  notes: Output;
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  /** Aborts on Ctrl-C; `start` sees to signals itself. */
  signal: AbortSignal;
  start: StartRelay;
}

/** Runs the relay until it is stopped. */
export type StartRelay = (read: ReadConfig) => Promise<void>;

export interface Command {
  name: string;
  /** What comes after the name. */
  usage: string;
  /** A line, for the list of commands. */
  summary: string;
  /** What it does and when one needs it, and an example, for its own help. */
  about: string;
  /** Flags beside those of the configuration. */
  own: Readonly<Record<string, OwnFlag>>;
  /** False for the command that writes the file. Default true. */
  readsFile?: boolean;
  /** @returns the exit code */
  run(context: CommandContext): Promise<number>;
}

/** Exit codes: everything went well, it failed, it was called wrongly, nobody answered. */
export const EXIT = { ok: 0, failed: 1, usage: 2, noAnswer: 3, interrupted: 130 } as const;
