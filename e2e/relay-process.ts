import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Where the default model lies once it was fetched. */
export const MODEL = 'data/models/SmolLM2-135M-Instruct.Q4_1.gguf';

/** A relay of a test's own, which it may kill. */
export class RelayProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /**
   * @param port 0 for a free one; another for a relay that comes back
   * @param flags `--data` among them: two relays never share a folder
   * @param root of another checkout, to run its relay and serve its page
   * @throws with its last words when it ends, or does not serve a model within a minute
   */
  static async start(port: number, flags: readonly string[], root?: string): Promise<RelayProcess> {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', 'relay/main.ts', '--port', String(port), '--host', '127.0.0.1', ...flags],
      { stdio: ['ignore', 'pipe', 'pipe'], cwd: root },
    );
    const relay = new RelayProcess(child, await announcedPort(child));
    for (const until = Date.now() + 60_000; Date.now() < until && child.exitCode === null; ) {
      const models = await fetch(`${relay.url}/models/index.json`)
        .then((response) => response.json())
        .catch(() => []);
      if (Array.isArray(models) && models.length > 0) return relay;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill('SIGKILL');
    throw new Error(`The relay on port ${relay.port} serves no model.`);
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

/** Goes on reading afterwards: a full pipe would hold the relay up. */
function announcedPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    const read = (part: Buffer) => {
      said = (said + part.toString()).slice(-8_000);
      const found = /Shoal is at http:\/\/localhost:(\d+)\//.exec(said);
      if (found) resolve(Number(found[1]));
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`The relay ended:\n${said}`)));
  });
}
