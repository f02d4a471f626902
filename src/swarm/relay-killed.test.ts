import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('testing/killed-relay.ts', import.meta.url));
/** The relay as a whole is killed twenty times in relay/crash.test.ts; here it is the store alone, in the middle of writes. */
const KILLS = 6;
/** Of the moments, so that a failure comes again. */
const SEED = 20_261_121;

interface Line {
  peer?: string;
  addresses?: string[];
  records?: number;
  announced?: number;
  warning?: string;
}

/** A child that tells lines; `until` waits for the first one that is like that. */
class Child {
  readonly #process: ChildProcess;
  readonly lines: Line[] = [];
  #woken = () => {};

  constructor(folder: string) {
    this.#process = spawn(process.execPath, ['--import', 'tsx', SCRIPT, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#process.stdout! }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.#woken();
    });
    this.#process.once('exit', () => this.#woken());
  }

  async until(like: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.lines.find(like);
      if (found) return found;
      if (this.#process.exitCode !== null)
        throw new Error(`It ended by itself: ${JSON.stringify(this.lines)}`);
      await new Promise<void>((resolve) => {
        this.#woken = resolve;
      });
    }
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it(`a relay that is killed ${KILLS} times while it writes has the same peer id, certificate and readable records`, {
  timeout: 600_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-'));
  const next = random(SEED);
  const hashes = new Set<string>();
  const peers = new Set<string>();
  const records: number[] = [];
  let child: Child | null = null;
  try {
    for (let kill = 0; kill <= KILLS; kill++) {
      child = new Child(folder);
      const { peer, addresses, records: read } = await child.until((line) => line.peer !== undefined);
      peers.add(peer!);
      hashes.add(/certhash\/([^/]+)/.exec(addresses![0]!)![1]!);
      records.push(read!);
      // A quarter of them in the middle of its start.
      const announcements = Math.floor(next() * 4);
      if (announcements > 0) await child.until(({ announced }) => announced === announcements);
      await new Promise((resolve) => setTimeout(resolve, next() * 800));
      await child.kill();
      expect(child.lines.flatMap(({ warning }) => warning ?? [])).toEqual([]);
    }
    console.log(`records read at each start: ${records.join(' ')}`);
    expect(peers.size).toBe(1);
    expect(hashes.size).toBe(1);
    expect(records[0]).toBe(0);
    expect(Math.max(...records)).toBeGreaterThan(0);
    // Nothing was moved aside, and no draft is left of the two files.
    expect((await readdir(folder)).sort()).toEqual(['datastore', 'relay.key', 'webrtc.pem']);
  } finally {
    await child?.kill();
    await rm(folder, { recursive: true, force: true });
  }
});
