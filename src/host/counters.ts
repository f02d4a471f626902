import type { HostCounters } from './types.ts';

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
  };
}
