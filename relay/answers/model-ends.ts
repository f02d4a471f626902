import type { ClientParts } from '../../src/chain/index.ts';
import type { Engine, LoadOptions } from '../../src/engine/index.ts';
import { type Slice, sliceBytes } from '../../src/model/index.ts';
import { FRONT_LAYERS } from '../../src/swarm/index.ts';
import { BatchedEngine } from './batched-engine.ts';
import { abortable, stopping } from './errors.ts';
import type { PreparedModel } from './prepared-models.ts';
import { AnswerError } from './types.ts';

/** Use of the two ends of a model; they live until the last one is done. */
export interface EndsLease {
  parts: ClientParts;
  done(): void;
}

interface Ends {
  front: BatchedEngine;
  head: BatchedEngine;
}

interface Kept {
  ends: Promise<Ends>;
  /** Bytes of weights: an estimate until they are loaded. */
  bytes: number;
  users: number;
  ready: boolean;
  /** It is let go of as soon as nobody uses it. */
  retired: boolean;
}

export interface ModelEndsOptions {
  loadEngine: (options: LoadOptions) => Promise<Engine>;
  /** Bytes that the ends of all models may take, their caches included. */
  memory: number;
}

/**
 * The embedding with the first layers, and the head, of each model that is asked over the network: the relay runs them
 * itself, so that no token leaves it. One pair of engines serves all conversations of a model.
 */
export class ModelEnds {
  /** Least recently used first. */
  readonly #kept = new Map<string, Kept>();
  #closed = false;

  constructor(private readonly options: ModelEndsOptions) {}

  /** @throws AnswerError `no-peers`, `busy`, `aborted`, `stopping`; EngineError, ModelError from loading */
  async take(model: PreparedModel, signal: AbortSignal): Promise<EndsLease> {
    if (this.#closed) throw stopping();
    const { cid } = model.served;
    const kept = this.#kept.get(cid) ?? this.#load(model);
    this.#kept.delete(cid);
    this.#kept.set(cid, kept);
    kept.users++;
    let using = true;
    const done = () => {
      if (!using) return;
      using = false;
      kept.users--;
      if (kept.retired) this.#free(kept);
    };
    try {
      return { parts: await abortable(kept.ends, signal), done };
    } catch (error) {
      done();
      throw error;
    }
  }

  /** Runs of the engines that served several conversations. */
  async sharedRuns(cid: string): Promise<{ front: number; head: number } | null> {
    const kept = this.#kept.get(cid);
    if (!kept?.ready) return null;
    const { front, head } = await kept.ends;
    return { front: front.sharedRuns, head: head.sharedRuns };
  }

  /** Lets go of the models that are not served any more, as soon as nobody uses them. */
  keepOnly(cids: ReadonlySet<string>): void {
    for (const cid of [...this.#kept.keys()]) if (!cids.has(cid)) this.#retire(cid);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.all(all.map((kept) => dispose(kept)));
  }

  #load(model: PreparedModel): Kept {
    const { manifest, served } = model;
    const slices = slicesOf(model);
    const bytes = sliceBytes(manifest, slices.front) + sliceBytes(manifest, slices.head);
    this.#makeRoom(bytes, served.name);
    const loading: Promise<Ends> = this.#start(model, slices, () => {
      if (this.#kept.get(served.cid) === kept) this.#retire(served.cid);
    });
    const kept: Kept = { ends: loading, bytes, users: 0, ready: false, retired: false };
    loading.then(
      ({ front, head }) => {
        kept.ready = true;
        kept.bytes = front.info.weightBytes + head.info.weightBytes;
      },
      () => {
        // The next question tries anew.
        if (this.#kept.get(served.cid) === kept) this.#kept.delete(served.cid);
      },
    );
    return kept;
  }

  async #start(
    { manifest, served, maxTokens }: PreparedModel,
    slices: { front: Slice; head: Slice },
    lost: () => void,
  ): Promise<Ends> {
    const { loadEngine, memory } = this.options;
    const load = (slice: Slice, memoryLimit: number) =>
      loadEngine({
        manifest,
        slice,
        weights: { kind: 'files', files: served.files.map(({ path }) => path) },
        // Every part of a chain computes exactly, so that the text is that of one machine.
        arithmetic: 'exact',
        precision: 'float32',
        maxTokens,
        memoryLimit,
        measure: false,
      });
    let others = 0;
    for (const [cid, { bytes }] of this.#kept) if (cid !== served.cid) others += bytes;
    const head = await load(slices.head, memory - others);
    try {
      const front = await load(slices.front, memory - others - head.info.weightBytes);
      return { front: new BatchedEngine(front, lost), head: new BatchedEngine(head, lost) };
    } catch (error) {
      await head.dispose();
      throw error;
    }
  }

  /** Models that nobody asks now give way. */
  #makeRoom(bytes: number, name: string): void {
    const { memory } = this.options;
    const used = () => [...this.#kept.values()].reduce((sum, kept) => sum + kept.bytes, 0);
    for (const [cid, kept] of [...this.#kept]) {
      if (used() + bytes <= memory) return;
      if (kept.users === 0 && kept.ready) this.#retire(cid);
    }
    if (used() + bytes <= memory) return;
    const millions = (n: number) => `${Math.ceil(n / 1e6)} MB`;
    throw new AnswerError(
      'busy',
      `The first layers and the head of ${name} take ${millions(bytes)}, and ${millions(memory - used())} of ` +
        `${millions(memory)} are free. Allow more memory, ask by the route "own", or try again later.`,
    );
  }

  #retire(cid: string): void {
    const kept = this.#kept.get(cid);
    if (!kept) return;
    this.#kept.delete(cid);
    kept.retired = true;
    this.#free(kept);
  }

  #free(kept: Kept): void {
    // An engine whose worker is gone has nothing left to give back.
    if (kept.users === 0) void dispose(kept);
  }
}

async function dispose({ ends }: Kept): Promise<void> {
  try {
    const { front, head } = await ends;
    await Promise.allSettled([front.dispose(), head.dispose()]);
  } catch {
    // It was never loaded; whoever asked for it heard why.
  }
}

/** What a private client runs itself. @throws AnswerError `no-peers` */
function slicesOf({ manifest: { config }, served }: PreparedModel): { front: Slice; head: Slice } {
  // At least one layer is left to the others.
  const end = Math.min(FRONT_LAYERS, config.layers - 1);
  if (end < 1)
    throw new AnswerError(
      'no-peers',
      `${served.name} has too few layers to be run by several: use the route "own".`,
    );
  return {
    front: { start: 0, end, embed: true, head: false },
    head: { start: config.layers, end: config.layers, embed: false, head: true },
  };
}
