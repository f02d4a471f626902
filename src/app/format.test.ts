import { describe, expect, it } from 'vitest';
import { formatBytes, formatProvenance, formatSpeed } from './format.ts';

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

  it('each answer says its route, its speed and what computed it', () => {
    const timings = { first_token_ms: 90, tokens_per_second: 21, compute_ms: 900, wire_ms: 0 };
    const local = { route: 'local' as const, hops: [], token_ids: [1], timings, recoveries: 0 };
    expect(formatProvenance(local, 'jspi')).toBe('in this tab · 21 tokens/s · WebGPU');
    expect(formatProvenance({ ...local, recoveries: 1 }, 'wasm')).toBe(
      'in this tab · 21 tokens/s · WASM · continued after a lost GPU',
    );
  });
});
