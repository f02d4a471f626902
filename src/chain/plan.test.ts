import { describe, expect, test } from 'vitest';
import type { Offer, Part } from '../wire/index.ts';
import { rangesInWords, usableOffers } from './offers.ts';
import { backupsFor, type Candidate, missingLayers, type PlanRequest, planChain } from './plan.ts';
import { ChainError } from './types.ts';

const LAYERS = 24;

function offer(start: number, end: number, more: Partial<Offer> = {}): Offer {
  const part: Part = { start, end, embed: false, head: false };
  return {
    cid: 'm',
    start,
    end,
    embed: true,
    head: true,
    loaded: [part],
    load_ms: 100,
    arithmetic: 'exact',
    precision: 'float32',
    backend: 'wasm',
    max_tokens: 1024,
    free_blocks: 1024,
    sessions: 0,
    decode_ms: 1,
    prefill_ms: 0.1,
    draining: false,
    positions: 0,
    ...more,
  };
}

function peer(name: string, offers: Offer[], roundTripMs = 10): Candidate {
  return { address: { peer: name, addrs: [] }, path: 'direct', roundTripMs, offers };
}

function request(candidates: Candidate[], more: Partial<PlanRequest> = {}): PlanRequest {
  const range = { start: 2, end: LAYERS };
  return { range, layers: LAYERS, embed: false, head: false, maxTokens: 256, candidates, ...more };
}

/** `a2-10 b10-24` */
function words(hops: ReturnType<typeof planChain>): string {
  return hops.map(({ candidate, start, end }) => `${candidate.address.peer}${start}-${end}`).join(' ');
}

function failure(run: () => unknown): ChainError {
  try {
    run();
  } catch (error) {
    if (error instanceof ChainError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a stand-in', () => {
  const standIn = new Set(['own']);

  test('is taken only where nobody else can, however slow the others are', () => {
    const own = peer('own', [offer(0, 24)], 0);
    const slow = peer('slow', [offer(2, 24, { decode_ms: 400 })], 700);
    expect(words(planChain(request([own, slow])))).toBe('own2-24');
    expect(words(planChain(request([own, slow], { standIn })))).toBe('slow2-24');
    const part = peer('part', [offer(8, 24)], 300);
    expect(words(planChain(request([own, part], { standIn })))).toBe('own2-8 part8-24');
    expect(words(planChain(request([own], { standIn })))).toBe('own2-24');
  });

  test('is the last of the backups', () => {
    const own = peer('own', [offer(0, 24)], 0);
    const others = [peer('a', [offer(2, 24)], 500), own, peer('b', [offer(2, 24)], 600)];
    const part = { start: 2, end: 24, embed: false, head: false };
    const backups = backupsFor(part, request(others, { standIn }), new Set(), 3);
    expect(backups.map(({ address }) => address.peer)).toEqual(['a', 'b', 'own']);
  });
});

describe('a plan', () => {
  test('combines slices that fit exactly', () => {
    const candidates = [peer('c', [offer(16, 24)]), peer('a', [offer(2, 9)]), peer('b', [offer(9, 16)])];
    expect(words(planChain(request(candidates)))).toBe('a2-9 b9-16 c16-24');
  });

  test('takes a part of a slice that is larger than needed', () => {
    expect(words(planChain(request([peer('a', [offer(0, 24)])])))).toBe('a2-24');
  });

  test('combines slices that overlap', () => {
    const plan = planChain(request([peer('a', [offer(0, 14)]), peer('b', [offer(8, 24)])]));
    expect(plan.map(({ candidate }) => candidate.address.peer)).toEqual(['a', 'b']);
    expect(plan[0]!.start).toBe(2);
    expect(plan[1]!.end).toBe(24);
    expect(plan[0]!.end).toBe(plan[1]!.start);
  });

  test('uses what is loaded already where that costs nothing', () => {
    const loaded = [{ start: 2, end: 12, embed: false, head: false }];
    const candidates = [peer('a', [offer(0, 24, { loaded })]), peer('b', [offer(12, 24)])];
    expect(words(planChain(request(candidates, { range: { start: 2, end: 12 } })))).toBe('a2-12');
    const far = [peer('a', [offer(0, 24, { loaded, load_ms: 5000 })]), peer('b', [offer(12, 24)])];
    expect(words(planChain(request(far)))).toBe('a2-12 b12-24');
  });

  test('takes fewer hops when the time is about equal', () => {
    const candidates = [
      peer('a', [offer(2, 12)], 0),
      peer('b', [offer(12, 24)], 0),
      peer('c', [offer(2, 24)], 0),
    ];
    expect(words(planChain(request(candidates)))).toBe('c2-24');
  });

  test('takes the faster peer, the nearer one, and the one with less to do', () => {
    const slow = peer('slow', [offer(2, 24, { decode_ms: 4 })]);
    expect(words(planChain(request([slow, peer('fast', [offer(2, 24)])])))).toBe('fast2-24');
    const far = peer('far', [offer(2, 24)], 200);
    expect(words(planChain(request([far, peer('near', [offer(2, 24)])])))).toBe('near2-24');
    const busy = peer('busy', [offer(2, 24, { sessions: 8 })]);
    expect(words(planChain(request([busy, peer('idle', [offer(2, 24)])])))).toBe('idle2-24');
  });

  test('a peer comes once, even where it holds two parts', () => {
    const both = peer('both', [offer(2, 8), offer(16, 24)]);
    const candidates = [both, peer('mid', [offer(8, 16)]), peer('end', [offer(16, 24, { decode_ms: 9 })])];
    expect(words(planChain(request(candidates)))).toBe('both2-8 mid8-16 end16-24');
    const error = failure(() => planChain(request(candidates.slice(0, 2))));
    expect(error.code).toBe('no-cover');
    expect(error.message).toMatch(/twice/);
  });

  test('finds a cover that the cheapest beginning would spoil', () => {
    const joker = peer('joker', [offer(2, 24, { decode_ms: 0.1 })], 1);
    const candidates = [joker, peer('first', [offer(2, 10, { decode_ms: 50 })])];
    expect(words(planChain(request([...candidates, peer('rest', [offer(10, 20)])])))).toBe('joker2-24');
    const parts = [offer(2, 10), offer(20, 24)].map((one) => ({ ...one, decode_ms: 0.1 }));
    const scarce = [
      peer('x', parts, 1),
      peer('y', [offer(2, 10, { decode_ms: 50 })]),
      peer('z', [offer(10, 20)]),
    ];
    expect(words(planChain(request(scarce)))).toBe('y2-10 z10-20 x20-24');
  });

  test('light mode asks the first hop for the embedding and the last for the head', () => {
    const none = { embed: false, head: false };
    const candidates = [
      peer('a', [offer(0, 12)]),
      peer('b', [offer(12, 24)]),
      peer('c', [offer(0, 24, none)], 0),
    ];
    const plan = planChain(request(candidates, { range: { start: 0, end: 24 }, embed: true, head: true }));
    expect(words(plan)).toBe('a0-12 b12-24');
    expect(plan.map(({ embed, head }) => [embed, head])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  test('a fixed order is kept, and others stand in when it cannot be', () => {
    const whole = ['a', 'b', 'c'].map((name) => peer(name, [offer(2, 24)]));
    const plan = planChain(request(whole, { prefer: ['c', 'a'] }));
    expect(plan.map(({ candidate }) => candidate.address.peer)).toEqual(['c', 'a']);
    expect(words(planChain(request([peer('b', [offer(2, 24)])], { prefer: ['c', 'a'] })))).toBe('b2-24');
  });
});

describe('no plan', () => {
  test('names exactly the layers that nobody holds', () => {
    const candidates = [peer('a', [offer(0, 10)]), peer('b', [offer(15, 20)]), peer('c', [offer(21, 24)])];
    const error = failure(() => planChain(request(candidates)));
    expect(error.code).toBe('no-cover');
    expect(error.missing).toEqual([
      { start: 10, end: 15 },
      { start: 20, end: 21 },
    ]);
    expect(error.message).toContain('Nobody holds layers 10 to 14 and layer 20.');
    expect(missingLayers(request([]))).toEqual([{ start: 2, end: 24 }]);
  });

  test('says that holders are full, or drain', () => {
    const full = [peer('a', [offer(2, 24, { free_blocks: 15 })])];
    expect(failure(() => planChain(request(full))).code).toBe('no-capacity');
    expect(words(planChain(request(full, { maxTokens: 240 })))).toBe('a2-24');
    const short = [peer('a', [offer(2, 24, { max_tokens: 128 })])];
    expect(failure(() => planChain(request(short))).code).toBe('no-capacity');
    const draining = [peer('a', [offer(2, 24, { draining: true })])];
    expect(failure(() => planChain(request(draining))).code).toBe('no-cover');
  });
});

test('backups are the nearest other holders of the whole part, at most as many as asked', () => {
  const candidates = [
    peer('self', [offer(2, 24)]),
    peer('far', [offer(2, 24)], 90),
    peer('near', [offer(4, 14)], 5),
    peer('mid', [offer(2, 24)], 30),
    peer('part', [offer(6, 24)]),
    peer('full', [offer(2, 24, { free_blocks: 0 })]),
  ];
  const part = { start: 4, end: 12, embed: false, head: false };
  const backups = backupsFor(part, request(candidates), new Set(['self']), 2);
  expect(backups.map(({ address }) => address.peer)).toEqual(['near', 'mid']);
});

test('offers of another version, another model, or that cannot be are not used', () => {
  const hello = {
    kind: 'hello',
    peer_id: '00'.repeat(32),
    proto_ver: 1,
    supported_quants: [],
    offers: [
      offer(0, 8),
      offer(0, 8, { cid: 'other' }),
      offer(20, 30),
      offer(0, 8, { arithmetic: 'fast' }),
      offer(0, 8, { precision: 'float16' }),
      offer(0, 8, { decode_ms: Number.NaN }),
    ],
  } as const;
  const filter = { cid: 'm', layers: LAYERS, arithmetic: 'exact' } as const;
  const open = { ...hello, offers: [...hello.offers] };
  expect(usableOffers({ ...open, supported_quants: [] }, filter)).toEqual([offer(0, 8)]);
  expect(usableOffers({ ...open, supported_quants: [] }, { ...filter, arithmetic: 'any' })).toHaveLength(3);
  expect(usableOffers({ ...open, supported_quants: [], proto_ver: 2 }, filter)).toEqual([]);
});

test('peers that cannot reach each other are not put next to each other, nor next to who stays', () => {
  const candidates = [
    peer('a', [offer(2, 12)], 1),
    peer('b', [offer(12, 24)], 1),
    peer('c', [offer(12, 18)]),
    peer('d', [offer(18, 24)]),
  ];
  const apart = (from: string, to: string) => ['a b', 'b me'].includes(`${from} ${to}`);
  expect(words(planChain(request(candidates)))).toBe('a2-12 b12-24');
  expect(words(planChain(request(candidates, { apart })))).toBe('a2-12 c12-18 b18-24');
  const neighbours = { before: 'me', after: 'me' };
  expect(words(planChain(request(candidates, { apart, neighbours })))).toBe('a2-12 c12-18 d18-24');
});

test('layers are named in words', () => {
  expect(rangesInWords([{ start: 3, end: 4 }])).toBe('layer 3');
  expect(
    rangesInWords([
      { start: 3, end: 6 },
      { start: 9, end: 10 },
      { start: 11, end: 14 },
    ]),
  ).toBe('layers 3 to 5, layer 9 and layers 11 to 13');
});
