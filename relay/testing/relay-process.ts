import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** `npm start` in a process of its own, as a user runs it. */
export class RelayProcess {
  /** All that it printed so far. */
  text = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<number | null>;
  #watchers: (() => void)[] = [];

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (part: Buffer) => {
      this.text += part.toString();
      for (const check of this.#watchers) check();
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#closed = once(this.#child, 'close').then(([code]) => code as number | null);
    void this.#closed.then(() => {
      for (const check of this.#watchers) check();
    });
  }

  /**
   * The first match in what it prints.
   * @throws Error with all that it printed, when it ends without
   */
  said(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const match = pattern.exec(this.text);
        const ended = this.#child.exitCode !== null || this.#child.signalCode !== null;
        if (match) resolve(match);
        else if (ended) reject(new Error(`The relay ended without ${pattern}:\n${this.text}`));
        else return;
        this.#watchers = this.#watchers.filter((watcher) => watcher !== check);
      };
      this.#watchers.push(check);
      check();
    });
  }

  async url(): Promise<string> {
    const [, port] = await this.said(/Shoal is at http:\/\/localhost:(\d+)\//);
    return `http://127.0.0.1:${port}`;
  }

  /** Its exit code; null when a signal ended it. */
  ended(): Promise<number | null> {
    return this.#closed;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return this.#closed;
  }
}
