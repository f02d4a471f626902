import { readFileSync } from 'node:fs';
import { sampleAsSent } from '../../src/chat/index.ts';
import { EngineError, type LoadProgress } from '../../src/engine/index.ts';
import {
  BLOCK_TOKENS,
  createHost,
  HOST_LIMITS,
  type Host,
  type HostCounters,
  HostError,
  type HostStatus,
  type LentSlice,
  layersInWords,
} from '../../src/host/index.ts';
import { parseManifest } from '../../src/model/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { explain, RelayError } from '../errors.ts';
import type { RelayOptions } from '../options.ts';
import { ProgressBar } from '../progress.ts';
import type { ServedModel } from '../shelf.ts';
import { type LentSliceOptions, lentSlice } from './lent-slice.ts';
import { defaultMemory } from './memory.ts';

/** An engine that failed may have met a passing shortage of memory; one that fails for good must not keep the relay busy. */
const AGAIN_MS = 30_000;

/** What /healthz tells about lending. Reasons stay in the log: they may name paths. */
export interface HostingHealth {
  /** `off`: by --layers none. `waiting`: for the model, the network, or the next attempt. */
  state: 'off' | 'waiting' | 'loading' | 'lending' | 'failed';
  slices: {
    model: string;
    start: number;
    end: number;
    state: string;
    backend: string;
    freeTokens: number;
    announced: boolean;
  }[];
  sessions: number;
  counters: HostCounters | null;
}

export interface HostingOptions extends Pick<RelayOptions, 'layers' | 'memory'> {
  /** Default: the Node engine, which is only then imported: a relay that lends nothing never needs onnxruntime. */
  loadEngine?: LentSliceOptions['loadEngine'];
  /** Default: the console. */
  log?: (line: string) => void;
}

/** Lends layers of one model to the network, and says how that goes. */
export class Hosting {
  #state: HostingHealth['state'];
  #host: Host | null = null;

  constructor(private readonly options: HostingOptions) {
    this.#state = options.layers === 'none' ? 'off' : 'waiting';
  }

  /**
   * Lends until the signal says stop. When that cannot be done the log says why, and the relay goes on without.
   * @throws RelayError `usage` when the model does not have the layers that were asked for
   */
  async run(
    model: ServedModel,
    { transport, directory, clock }: Pick<Swarm, 'transport' | 'directory' | 'clock'>,
    signal: AbortSignal,
  ): Promise<void> {
    // Also with nothing to lend: it answers who asks what this peer offers.
    const host = createHost({ transport, directory, clock, agent: agent(), sample: sampleAsSent });
    this.#host = host;
    if (this.options.layers === 'none') return;
    try {
      const slice = await this.#slice(model, this.options.layers);
      while (!signal.aborted) {
        this.#state = 'loading';
        await host.lend(slice, { signal });
        this.#state = 'lending';
        this.#log(`Lending ${layersInWords(slice)} of ${model.name} to the network: ${room(host)}.`);
        await until(signal, (done) => {
          const look = ({ slices }: HostStatus) => {
            if (slices.length === 0) done();
          };
          look(host.status());
          return host.subscribe(look);
        });
        this.#state = 'waiting';
        this.#log('The engine of the lent layers failed. They are loaded again in half a minute.');
        await until(signal, (done) => clock.after(AGAIN_MS, done));
      }
    } catch (error) {
      this.#state = 'failed';
      if (signal.aborted) return;
      if (error instanceof RelayError) throw error;
      const hint = isTooLarge(error) ? '. Lend fewer with --layers, or allow more with --memory.' : '';
      this.#log(`No layers are lent to the network; the relay serves on. ${explain(error)}${hint}`);
    }
  }

  #log(line: string): void {
    (this.options.log ?? console.log)(line);
  }

  async #slice(model: ServedModel, layers: LentSliceOptions['layers']): Promise<LentSlice> {
    // Lines, not a bar that is redrawn: another model may be on its way, with a bar of its own.
    const bar = new ProgressBar(`Loading layers of ${model.name}`, {
      write: (text) => this.#log(text.trimEnd()),
    });
    const onProgress = ({ stage, done, total }: LoadProgress) => {
      if (stage === 'reading') bar.update(done, total);
    };
    const manifest = await parseManifest(model.manifest, model.cid);
    const loadEngine = this.options.loadEngine ?? (await import('../../src/engine/node.ts')).loadEngine;
    const memory = this.options.memory ?? defaultMemory();
    return lentSlice({ model, manifest, layers, memory, loadEngine, onProgress });
  }

  health(): HostingHealth {
    const status = this.#host?.status();
    return {
      state: this.#state,
      slices: (status?.slices ?? []).map(({ cid, start, end, state, announced, engine, offer }) => ({
        model: cid,
        start,
        end,
        state,
        backend: engine.backend,
        freeTokens: offer.free_blocks * BLOCK_TOKENS,
        announced,
      })),
      sessions: status?.sessions ?? 0,
      counters: status?.counters ?? null,
    };
  }

  /** Says goodbye to everybody who is served. */
  async close(reason: string): Promise<void> {
    await this.#host?.close(reason);
  }
}

function isTooLarge(error: unknown): boolean {
  if (error instanceof HostError) return error.code === 'bad-slice';
  return error instanceof EngineError && error.code === 'out-of-memory';
}

/** How much may be said at once, in words. */
function room(host: Host): string {
  const offer = host.status().slices[0]?.offer;
  if (!offer) return 'but they are gone already';
  const tokens = offer.free_blocks * BLOCK_TOKENS;
  const count = Math.min(Math.floor(tokens / offer.max_tokens), HOST_LIMITS.sessions);
  if (count === 0) return `room for ${tokens} tokens of conversation`;
  return `room for ${count} ${count === 1 ? 'conversation' : 'conversations'} of ${offer.max_tokens} tokens`;
}

/** Waits for what `begin` starts to call `done`; it gives back what ends it. Rejects when the signal says stop. */
async function until(signal: AbortSignal, begin: (done: () => void) => () => void): Promise<void> {
  let end = () => {};
  let abort = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort);
      end = begin(resolve);
      if (signal.aborted) abort();
    });
  } finally {
    end();
    signal.removeEventListener('abort', abort);
  }
}

/** Program and version, as other peers see it. */
function agent(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return `shoal/${version}`;
}
