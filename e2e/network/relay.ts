import { constants, copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CATALOGUE } from '../../src/model/index.ts';
import { MODEL, RelayProcess } from '../relay-process.ts';

/** A relay with the default model and an identity of its own, which a test may kill and start again. */
export class TestRelay {
  private constructor(
    private process: RelayProcess,
    private readonly folder: string,
    private readonly flags: readonly string[],
  ) {}

  /**
   * @param layers what it lends: `none`, `all` or `a-b`
   * @param more flags
   */
  static async start(layers: string, more: readonly string[] = []): Promise<TestRelay> {
    return TestRelay.#start(await mkdtemp(join(tmpdir(), 'shoal-relay-')), MODEL, layers, more);
  }

  /** The same with the model by its name in the catalogue, as `npm start` serves it. */
  static async startNamed(layers: string): Promise<TestRelay> {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-relay-'));
    await mkdir(join(folder, 'models'));
    await copyFile(MODEL, join(folder, 'models', basename(MODEL)), constants.COPYFILE_FICLONE);
    return TestRelay.#start(folder, CATALOGUE[0].id, layers, []);
  }

  static async #start(folder: string, model: string, layers: string, more: readonly string[]) {
    const flags = ['--data', folder, '--model', model, '--layers', layers, ...more];
    const relay = new TestRelay(await RelayProcess.start(0, flags), folder, flags);
    await relay.hosting(layers !== 'none');
    return relay;
  }

  get url(): string {
    return this.process.url;
  }

  /** What /healthz says. */
  async health(): Promise<{
    hosting: { state: string; slices: unknown[]; counters?: Record<string, number> };
  }> {
    return (await fetch(`${this.url}/healthz`)).json();
  }

  async kill(): Promise<void> {
    await this.process.kill();
  }

  /** Starts again on the same port with the same identity. */
  async restart(): Promise<void> {
    this.process = await RelayProcess.start(this.process.port, this.flags);
  }

  async close(): Promise<void> {
    await this.process.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Until the slice is announced. */
  private async hosting(wanted: boolean): Promise<void> {
    if (!wanted) return;
    for (const until = Date.now() + 60_000; Date.now() < until; ) {
      const { hosting } = await this.health();
      if (hosting.slices.length > 0) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('The relay did not begin to host.');
  }
}
