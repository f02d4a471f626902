import { MemoryNetwork, type MemoryTransport } from '../../swarm/testing/memory.ts';
import type { Part, SamplingState } from '../../wire/index.ts';
import { createHost } from '../host.ts';
import type { Host, HostLimits, LentSlice } from '../types.ts';
import { ArithmeticEngine, EngineDiary } from './arithmetic-engine.ts';
import { CID, HandClient, type Hop } from './hand-client.ts';
import { ManualClock } from './manual-clock.ts';

export const LAYERS = 12;

export interface TestHost {
  host: Host;
  diary: EngineDiary;
  transport: MemoryTransport;
}

/** Hosts of arithmetic engines on one network, with one clock. */
export class World {
  readonly network = new MemoryNetwork();
  readonly clock = new ManualClock();
  readonly hosts = new Map<string, TestHost>();

  /** A host that lends layers `[start, end)`. */
  async host(
    { peer, start, end }: Hop,
    options: { limits?: Partial<HostLimits>; slice?: Partial<LentSlice>; maxTokens?: number } = {},
  ): Promise<TestHost> {
    const made = this.join(peer, options.limits);
    await made.host.lend(this.slice(made.diary, start, end, options.slice, options.maxTokens));
    return made;
  }

  /** A host that lends nothing yet. */
  join(peer: string, limits?: Partial<HostLimits>): TestHost {
    const transport = this.network.join(peer);
    const host = createHost({
      transport,
      directory: this.network.directory(peer),
      clock: this.clock,
      agent: 'test/1',
      sample,
      ...(limits && { limits }),
    });
    const made = { host, diary: new EngineDiary(), transport };
    this.hosts.set(peer, made);
    return made;
  }

  slice(
    diary: EngineDiary,
    start: number,
    end: number,
    more: Partial<LentSlice> = {},
    maxTokens = 1024,
  ): LentSlice {
    return {
      cid: CID,
      layers: LAYERS,
      start,
      end,
      main: { start, end, embed: false, head: false },
      memoryBudget: 1e9,
      load: async (part) => new ArithmeticEngine(part, diary, maxTokens),
      ...more,
    };
  }

  client(name = 'client', session?: string): HandClient {
    return new HandClient(this.network.find(name) ?? this.network.join(name), session);
  }
}

/** The likeliest token, moved by what was drawn before, so that a wrong state shows. */
export function sample(logits: Float32Array, state: SamplingState): number {
  const best = logits.reduce((found, value, token) => (value > logits[found]! ? token : found), 0);
  return (best + state.drawn) % logits.length;
}

/** What layers of one engine give for rows or tokens, one call after another. */
export function alone(part: Part): (input: Float32Array | number[]) => Promise<Float32Array> {
  const engine = new ArithmeticEngine(part, new EngineDiary(), 4096);
  const session = engine.open();
  return async (input) => {
    const given = Array.isArray(input) ? { tokens: input } : { hidden: input };
    const { hidden, logits } = await engine.forward(await session, given);
    return hidden ?? logits!;
  };
}

/** Rows of small whole numbers, [count, 4]. */
export function rowsFrom(seed: number, count: number): Float32Array {
  return Float32Array.from({ length: count * 4 }, (_, i) => (seed * 7919 + i * 104_729) % 1009);
}
