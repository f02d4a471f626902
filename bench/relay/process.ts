import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await new Promise((done) => server.close(done));
  return port;
}

/** A server in a process of its own, ended by its id. */
export class Measured {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #said = '';

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (part: Buffer) => {
        // What a failure needs; a server that talks for hours must not fill the memory.
        this.#said = (this.#said + part.toString()).slice(-4_000);
      });
    this.#closed = once(this.#child, 'close');
  }

  /** Asks until `ready` says so. @throws Error with the last that it printed, when it ends or takes two minutes */
  async until(ready: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + 120_000; Date.now() < end; ) {
      if (this.#child.exitCode !== null) break;
      if (await ready().catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${this.#child.spawnfile} did not come up:\n${this.#said}`);
  }

  /** Resident memory in bytes, of Linux. */
  async memory(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8');
    return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#closed;
    clearTimeout(late);
  }
}

export interface RelayUnderTest {
  url: string;
  process: Measured;
  data: string;
}

/** A relay as an operator starts it; what it lends is there when this resolves. */
export async function startRelayProcess(data: string, flags: readonly string[]): Promise<RelayUnderTest> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const relay = new Measured(process.execPath, [
    '--import',
    'tsx',
    'relay/main.ts',
    'start',
    '--port',
    String(port),
    '--host',
    '127.0.0.1',
    '--data',
    data,
    ...flags,
  ]);
  const lends = !flags.includes('none');
  await relay.until(async () => {
    const health = (await (await fetch(`${url}/healthz`)).json()) as {
      models: number;
      hosting: { slices: unknown[] };
      network: { state: string };
    };
    return (
      health.models > 0 && health.network.state === 'online' && (!lends || health.hosting.slices.length > 0)
    );
  });
  return { url, process: relay, data };
}
