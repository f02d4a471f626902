import { readConfig } from '../config/index.ts';
import { explain, RelayError } from '../errors.ts';
import { type Command, EXIT, type Output, type StartRelay } from './command.ts';
import { doctor } from './doctor.ts';
import { findCommand, helpCommand, helpOfCommand, overview } from './help.ts';
import { init } from './init.ts';
import { keys } from './keys.ts';
import { models } from './models.ts';
import { start } from './start.ts';
import { status } from './status.ts';

export const COMMANDS: readonly Command[] = [
  start,
  init,
  doctor,
  status,
  models,
  keys,
  helpCommand(() => COMMANDS),
];

export interface RunOptions {
  start: StartRelay;
  /** Default: those of the process. */
  out?: Output;
  notes?: Output;
  input?: NodeJS.ReadableStream & { isTTY?: boolean };
  cwd?: string;
  /** Default: Ctrl-C and SIGTERM, for every command but `start`. */
  signal?: AbortSignal;
}

/**
 * Runs one command line to its end and tells what is wrong with it.
 * @returns the exit code: 0, 1 for a failure, 2 for a wrong call, 3 when no relay answers, 130 after Ctrl-C
 */
export async function runCommand(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  options: RunOptions,
): Promise<number> {
  const { out = process.stdout, notes = process.stderr, input = process.stdin } = options;
  const cwd = options.cwd ?? process.cwd();
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error('It was interrupted.'));
  const signal = options.signal ?? interrupted.signal;
  try {
    const named = argv[0] !== undefined && !argv[0].startsWith('-');
    const command = named ? findCommand(argv[0]!, COMMANDS) : start;
    const { own, readsFile } = command;
    const read = await readConfig(named ? argv.slice(1) : argv, env, { cwd, own, readsFile });
    if (read.options.has('help')) {
      out.write(named ? helpOfCommand(command) : overview(COMMANDS));
      return EXIT.ok;
    }
    if (command !== start) {
      process.once('SIGINT', interrupt);
      process.once('SIGTERM', interrupt);
      if (out === process.stdout) process.stdout.on('error', endQuietly);
    }
    return await command.run({ ...read, env, cwd, out, notes, input, signal, start: options.start });
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted;
    notes.write(`${explain(error)}\n`);
    return error instanceof RelayError && error.code === 'usage' ? EXIT.usage : EXIT.failed;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

/** Whoever reads through `head` closes the pipe when he has seen enough. */
function endQuietly(error: NodeJS.ErrnoException): void {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
}
