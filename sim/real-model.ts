import type { Engine, ForwardInput, ForwardOptions, ForwardOutput } from '../src/engine/index.ts';
import { loadSlice, nodePlatform } from '../src/engine/node.ts';
import { openFixture } from '../src/engine/testing/fixtures.ts';
import type { Slice } from '../src/model/index.ts';
import { Waiting } from './connection.ts';
import { MAX_TOKENS } from './scenario.ts';
import type { Actor, Scheduler } from './scheduler.ts';
import type { SimEngine } from './sim-engine.ts';
import type { WorldModel } from './world.ts';

/** A tiny model on onnxruntime-node: its work takes real time, for which the world stands still. */
export async function realModel(): Promise<WorldModel & { dispose(): Promise<void> }> {
  const { manifest, weights } = await openFixture('llama-tied');
  const maxTokens = Math.min(MAX_TOKENS, manifest.config.contextLength);
  const loaded = new Map<string, Promise<Engine>>();
  // Worlds come one after another and each closes its sessions: they can share the weights.
  const inner = (slice: Slice): Promise<Engine> => {
    const key = JSON.stringify(slice);
    let engine = loaded.get(key);
    if (!engine) {
      engine = loadSlice(nodePlatform, { manifest, weights, slice, maxTokens, measure: false, threads: 1 });
      loaded.set(key, engine);
    }
    return engine;
  };
  const whole = { start: 0, end: manifest.config.layers, embed: true, head: true };
  return {
    manifest,
    cid: 'bafkrealfixture',
    vocabulary: manifest.config.vocabulary,
    kvBytes: 8 * manifest.config.kvHeads * manifest.config.headSize,
    weightBytes: 1_000_000,
    maxTokens,
    exact: false,
    async engine({ scheduler, ledger }, actor, slice, layerMs) {
      const engine = new RealEngine(scheduler, actor, await scheduler.outside(inner(slice)), layerMs);
      ledger.engines.add(engine);
      return engine;
    },
    oracle() {
      let session: Promise<number> | null = null;
      return {
        async push(token) {
          const engine = await inner(whole);
          session ??= engine.open();
          return (await engine.forward(await session, { tokens: [token] })).logits!;
        },
        async close() {
          if (session) await (await inner(whole)).close(await session);
        },
      };
    },
    async dispose() {
      for (const engine of loaded.values()) await (await engine).dispose();
    },
  };
}

/** Gives an engine's results back as events of the world, one call after another. */
class RealEngine implements SimEngine {
  readonly info: Engine['info'];
  readonly sessions = new Set<number>();
  disposed = false;
  lost = false;
  stuckUntil = 0;
  #freeAt = 0;

  constructor(
    private readonly scheduler: Scheduler,
    readonly actor: Actor,
    private readonly inner: Engine,
    private readonly layerMs: number,
  ) {
    this.info = inner.info;
  }

  async open(options?: { maxTokens?: number }): Promise<number> {
    const session = await this.#run(0, () => this.inner.open(options));
    this.sessions.add(session);
    return session;
  }

  forward(session: number, input: ForwardInput, options?: ForwardOptions): Promise<ForwardOutput> {
    const positions = 'hidden' in input ? input.hidden.length / this.info.width : input.tokens.length;
    // A worker would have been sent a copy.
    const held = 'hidden' in input ? { hidden: input.hidden.slice() } : { tokens: Array.from(input.tokens) };
    return this.#run(positions, () => this.inner.forward(session, held, options));
  }

  decode(batch: readonly { session: number; input: ForwardInput }[]): Promise<ForwardOutput[]> {
    const held = batch.map(({ session, input }) => ({
      session,
      input: 'hidden' in input ? { hidden: input.hidden.slice() } : input,
    }));
    return this.#run(batch.length, () => this.inner.decode(held));
  }

  truncate(session: number, length: number): Promise<void> {
    return this.#run(0, () => this.inner.truncate(session, length));
  }

  async close(session: number): Promise<void> {
    this.sessions.delete(session);
    await this.#run(0, () => this.inner.close(session));
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    for (const session of this.sessions) await this.scheduler.outside(this.inner.close(session));
    this.sessions.clear();
  }

  async #run<T>(positions: number, task: () => Promise<T>): Promise<T> {
    const { scheduler } = this;
    const layers = Math.max(1, this.info.slice.end - this.info.slice.start);
    const ends =
      Math.max(scheduler.now, this.#freeAt, this.stuckUntil) + 0.05 + positions * layers * this.layerMs;
    this.#freeAt = ends;
    const turn = new Waiting<void>(scheduler, this.actor, 'real engine');
    turn.resolveAt(ends, undefined);
    await turn.promise;
    if (this.lost || this.disposed) throw new Error('this engine is gone');
    return scheduler.outside(task());
  }
}
