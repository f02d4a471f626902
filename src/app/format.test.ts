import { describe, expect, it } from 'vitest';
import type { Hop, Provenance } from '../sdk/index.ts';
import { formatBytes, formatLayers, formatProvenance, formatSpeed } from './format.ts';

describe('numbers on the page', () => {
  it('bytes are shown in the unit a person would use', () => {
    expect(formatBytes(512)).toBe('512 bytes');
    expect(formatBytes(98_362_432)).toBe('98.4 MB');
    expect(formatBytes(999_999)).toBe('1.0 MB');
    expect(formatBytes(3_400_000_000)).toBe('3.4 GB');
  });

  it('a slow speed keeps its decimal and a fast one does not', () => {
    expect(formatSpeed(2.345)).toBe('2.3 tokens/s');
    expect(formatSpeed(21.4)).toBe('21 tokens/s');
  });

  it('layers are named by the first and the last of them', () => {
    expect(formatLayers({ start: 10, end: 20 })).toBe('layers 10 to 19');
    expect(formatLayers({ start: 4, end: 5 })).toBe('layer 4');
  });

  const timings = {
    first_token_ms: 90,
    tokens_per_second: 21,
    compute_ms: 900,
    wire_ms: 0,
    compute_ms_per_token: 0,
    wire_ms_per_token: 0,
  };
  const local: Provenance = {
    route: 'local',
    reason: null,
    privacy: 'private',
    hops: [],
    token_ids: [1],
    timings,
    recoveries: 0,
    trace: [],
  };

  it('each answer says its route, its speed and what computed it', () => {
    expect(formatProvenance(local, 'jspi')).toBe('in this tab · 21 tokens/s · WebGPU');
    expect(formatProvenance({ ...local, recoveries: 1 }, 'wasm')).toBe(
      'in this tab · 21 tokens/s · WASM · continued after a lost GPU',
    );
  });

  it('an answer over the network says over whom, where the time went, and what was lost', () => {
    const hop = (path: Hop['path']): Hop => ({
      peer: 'p',
      start: 2,
      end: 9,
      path,
      backend: 'wasm',
      round_trip_ms: 3,
    });
    const answer: Provenance = {
      ...local,
      route: 'network',
      hops: [hop('direct'), hop('relayed'), hop('websocket')],
      timings: { ...timings, tokens_per_second: 12, compute_ms_per_token: 60.2, wire_ms_per_token: 9.27 },
      recoveries: 1,
    };
    expect(formatProvenance(answer, 'wasm')).toBe(
      'over 3 peers (1 relayed) · 12 tokens/s · compute 60 ms + wire 9.3 ms per token · 1 recovery',
    );
    expect(formatProvenance({ ...answer, hops: [hop('local'), hop('direct')], recoveries: 0 }, null)).toMatch(
      /^over 1 peer and this tab · /,
    );
    expect(formatProvenance({ ...answer, privacy: 'light' }, null)).toMatch(/ · light privacy$/);
  });
});
