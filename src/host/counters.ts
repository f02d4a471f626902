import type { HostCounters } from './types.ts';

/** Peers that are told apart; what more come does not grow the memory of a relay that runs for months. */
const MOST_PEERS = 4096;

/** Counters of a host that did nothing yet. */
export function newCounters(): HostCounters {
  return {
    opened: 0,
    refused: 0,
    failed: 0,
    prefillPositions: 0,
    decodePositions: 0,
    replayedPositions: 0,
    sharedRuns: 0,
    computeMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    droppedFrames: 0,
    cutOff: 0,
    peersHelped: 0,
    sessionsServed: 0,
    tokensServed: 0,
    positionsServed: 0,
    servedMs: 0,
    servedBytesIn: 0,
    servedBytesOut: 0,
    lentMs: 0,
  };
}

/** What was done for others, written into the counters of the host. */
export class Served {
  readonly #peers = new Set<string>();

  constructor(private readonly counters: HostCounters) {}

  opened(): void {
    this.counters.sessionsServed++;
  }

  /** @param rows positions of one run: one is a decode step */
  computed(peer: string, rows: number): void {
    this.counters.positionsServed += rows;
    if (rows === 1) this.counters.tokensServed++;
    if (this.#peers.size < MOST_PEERS) this.#peers.add(peer);
    this.counters.peersHelped = this.#peers.size;
  }

  ran(ms: number): void {
    this.counters.servedMs += ms;
  }
}
