import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A relay of a test's own, which it may kill. */
export class RelayProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  /**
   * @param flags of the relay; `--data` keeps its identity, so that relays of one test file must not share it with others
   * @throws when it does not answer within a minute
   */
  static async start(port: number, flags: readonly string[] = ['--data', 'data']): Promise<RelayProcess> {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', 'relay/main.ts', '--port', String(port), '--host', '127.0.0.1', ...flags],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const url = `http://127.0.0.1:${port}`;
    for (const until = Date.now() + 60_000; Date.now() < until; ) {
      const models = await fetch(`${url}/models/index.json`)
        .then((response) => response.json())
        .catch(() => []);
      if (Array.isArray(models) && models.length > 0) return new RelayProcess(child, url);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill('SIGKILL');
    throw new Error(`The relay on port ${port} did not come up.`);
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}
