import { BLOCK_TOKENS, type HostCounters, type HostedSlice, type HostStatus } from '../../src/host/index.ts';
import type { LenderState } from './lender.ts';

/** `off`: nothing is to be lent. `waiting`: for a model, the network, its turn, or the next attempt. */
export type HostingState = 'off' | Exclude<LenderState, 'ended'>;

/** What /healthz tells about lending. Reasons stay in the log: they may name paths. */
export interface HostingHealth {
  /** Of all models: `lending` as soon as one is lent. */
  state: HostingState;
  models: { model: string; state: HostingState }[];
  /** Lent to the network; slices for own use are not told. */
  slices: {
    model: string;
    start: number;
    end: number;
    state: string;
    backend: string;
    device: string | null;
    freeTokens: number;
    announced: boolean;
  }[];
  /** Bytes for weights and caches of each device, and those that are spoken for. */
  devices: { name: string; total: number; held: number }[];
  sessions: number;
  counters: HostCounters | null;
}

/** Of many, the state that matters most to whoever asks whether it works. */
export function together(states: readonly HostingState[]): HostingState {
  const order: HostingState[] = ['lending', 'loading', 'waiting', 'failed', 'off'];
  return order.find((state) => states.includes(state)) ?? 'waiting';
}

/** @param own slices for own use are nobody else's business */
export function slicesOf(
  status: HostStatus | undefined,
  own: (slice: HostedSlice) => boolean,
): HostingHealth['slices'] {
  const lent = (status?.slices ?? []).filter((slice) => !own(slice));
  return lent.map(({ cid, start, end, state, announced, engine, offer }) => ({
    model: cid,
    start,
    end,
    state,
    backend: engine.backend,
    device: engine.device,
    freeTokens: offer.free_blocks * BLOCK_TOKENS,
    announced,
  }));
}
