import { describe, expect, it } from 'vitest';
import type { Happened } from '../chat/types.ts';
import { lineOf } from './line.ts';
import { formatTime, stepText } from './names.ts';
import { summaryOf } from './summary.ts';
import { BINS, rowsOf, timelineOf } from './timeline.ts';
import { whoAnswers } from './who-answers.ts';
import { happenedWords as words } from './words.ts';

type Entry = Happened['trace'][number];

const token = (at_ms: number, own_ms: number, hops_ms: number[], wire_ms: number): Entry => ({
  kind: 'token',
  at_ms,
  ms: own_ms + wire_ms + hops_ms.reduce((a, b) => a + b, 0),
  positions: 1,
  own_ms,
  hops_ms,
  wire_ms,
});

const local: Happened = {
  route: 'local',
  reason: null,
  privacy: 'private',
  hops: [],
  timings: {
    first_token_ms: 90,
    tokens_per_second: 21,
    compute_ms: 900,
    wire_ms: 0,
    compute_ms_per_token: 0,
    wire_ms_per_token: 0,
  },
  recoveries: 0,
  trace: [
    { kind: 'opened', at_ms: 0, ms: 10 },
    { kind: 'prefill', at_ms: 10, ms: 80, positions: 30, own_ms: 80, hops_ms: [], wire_ms: 0 },
    token(90, 50, [], 0),
  ],
  model: 'a-model',
  backend: 'jspi',
  promptTokens: 30,
  answerTokens: 2,
};

const hop = (path: Happened['hops'][number]['path'], peer = 'peer-abcdef') => ({
  ...{ peer, start: 2, end: 9, path, backend: 'wasm', round_trip_ms: 3 },
});

const network: Happened = {
  ...local,
  route: 'network',
  backend: null,
  hops: [hop('direct'), hop('relayed', 'peer-ghijkl'), hop('websocket')],
  timings: { ...local.timings, tokens_per_second: 12, compute_ms_per_token: 60.2, wire_ms_per_token: 9.27 },
  recoveries: 1,
  trace: [
    { kind: 'opened', at_ms: 0, ms: 100 },
    { kind: 'prefill', at_ms: 100, ms: 100, positions: 30, own_ms: 10, hops_ms: [30, 40, 10], wire_ms: 10 },
    token(200, 5, [10, 20, 5], 10),
    { kind: 'lost', at_ms: 260, peer: 'peer-ghijkl', start: 2, end: 9, reason: 'it left' },
    { kind: 'recovered', at_ms: 260, ms: 200, replayed: 31, peers: ['peer-mnopqr'] },
    token(250, 5, [10, 20, 5], 260),
  ],
  answerTokens: 3,
};

describe('each answer says its route, its speed and what computed it', () => {
  it('in this tab', () => {
    expect(lineOf(local, words.line)).toBe('in this tab · 21 tokens/s · WebGPU');
    expect(lineOf({ ...local, recoveries: 1, backend: 'wasm' }, words.line)).toBe(
      'in this tab · 21 tokens/s · WASM · continued after a lost GPU',
    );
  });

  it('over the network: over whom, where the time went, and what was lost', () => {
    expect(lineOf(network, words.line)).toBe(
      'over 3 peers, 1 relayed · 12 tokens/s · compute 60 ms + wire 9.3 ms per token · 1 recovery',
    );
    const own = { ...network, hops: [hop('local'), hop('direct')], recoveries: 0 };
    expect(lineOf(own, words.line)).toMatch(/^over 1 peer and this tab · /);
    expect(lineOf({ ...own, hops: [hop('local')] }, words.line)).toMatch(/^in this tab, as its own peer · /);
    expect(lineOf({ ...own, privacy: 'light' }, words.line)).toMatch(/ · light privacy$/);
  });
});

describe('the timeline of a turn', () => {
  it('spreads the work of each over the time of its steps', () => {
    const { lanes, total, phases } = timelineOf(network)!;
    expect(total).toBe(550);
    expect(lanes.map(({ who }) => who)).toEqual(['own', 0, 1, 2, 'wire']);
    expect(lanes.map(({ ms }) => ms)).toEqual([20, 50, 80, 20, 80]);
    const area = (busy: readonly number[]) => busy.reduce((sum, share) => sum + share, 0);
    const [first] = lanes;
    for (const { busy, ms } of lanes) {
      expect(Math.abs(area(busy) / area(first!.busy) - ms / first!.ms)).toBeLessThan(0.05);
    }
    expect(Math.max(...lanes.flatMap(({ busy }) => busy))).toBe(1);
    // The pause above all.
    expect(phases.map(({ name }) => name)).toEqual(['opening', 'prefill', 'tokens', 'tokens', 'pause']);
  });

  it('has one lane in this tab, none for a tab that computes nothing, and none without steps', () => {
    expect(timelineOf(local)!.lanes.map(({ who }) => who)).toEqual(['own']);
    const light = { ...network, trace: [token(0, 0, [5, 5], 5)] };
    expect(timelineOf(light)!.lanes.map(({ who }) => who)).toEqual([0, 1, 'wire']);
    expect(timelineOf({ ...local, trace: [] })).toBeNull();
    expect(timelineOf({ ...local, trace: [{ kind: 'opened', at_ms: 0, ms: 5 }] })).toBeNull();
  });

  it('2,000 tokens are as many bins as one, and a table that can be read', () => {
    const trace = Array.from({ length: 2_000 }, (_, i) => token(10 * i, 9, [], 0));
    const many = { ...local, trace: [...local.trace.slice(0, 2), ...trace] };
    const timeline = timelineOf(many)!;
    expect(timeline.lanes[0]!.busy).toHaveLength(BINS);
    const rows = rowsOf(many, timeline);
    expect(rows.length).toBeLessThan(64);
    expect(rows.at(-1)!.what).toMatchObject({ kind: 'tokens', to: 2_001 });
    expect(rows.reduce((sum, { lanes }) => sum + (lanes[0] ?? 0), 0)).toBe(80 + 18_000);
  });

  it('times of odd clocks break nothing', () => {
    const odd = { ...network, trace: [token(-5, 900, [3], -4), token(0, 0, [], 0), token(1e9, 1, [1], 1)] };
    for (const { busy } of timelineOf(odd)!.lanes) {
      for (const share of busy) expect(share >= 0 && share <= 1).toBe(true);
    }
  });

  it('rows say what happened, in order', () => {
    const rows = rowsOf(network, timelineOf(network)!);
    expect(
      rows.map(({ what }) => (what.kind === 'tokens' ? `${what.from}-${what.to}` : what.entry.kind)),
    ).toEqual([...['opened', 'prefill', '2-2', 'lost', 'recovered', '3-3']]);
  });
});

describe('the turn in words', () => {
  it('where most of the time went, with a pause apart from the way', () => {
    expect(summaryOf(local).most).toEqual({ part: 'own', percent: 93 });
    expect(summaryOf(network)).toEqual({ most: { part: 'pause', percent: 36 }, slowest: { hop: 1, ms: 20 } });
    expect(summaryOf({ ...local, trace: [] })).toEqual({ most: null, slowest: null });
  });

  it('each step', () => {
    const timeline = words.timeline;
    expect(stepText(1, local, timeline)).toBe('Reading 30 tokens took 80 ms: This tab 80 ms.');
    expect(stepText(5, network, timeline)).toMatch(
      /^Token 3 took 300 ms: This tab 5.0 ms, Peer 1 10 ms, Peer 2 20 ms, Peer 3 5.0 ms, On the way 260 ms.$/,
    );
    expect(stepText(3, network, timeline)).toBe('Peer …ghijkl with layers 2 to 8 was lost.');
    expect(stepText(99, network, timeline)).toBe('');
  });

  it('times in the unit a person would use', () => {
    expect([4, 850, 1_234, 45_300, 125_000].map(formatTime)).toEqual([
      '4.0 ms',
      '850 ms',
      '1.2 s',
      '45 s',
      '2 min 5 s',
    ]);
  });
});

it('the sentence on who could read what knows who is going to answer', () => {
  expect(whoAnswers('local', 'fetching', 'ask')).toBe('tab');
  expect(whoAnswers('auto', 'ready', 'network')).toBe('tab');
  expect(whoAnswers('auto', 'fetching', 'ask')).toBe('asked');
  expect(whoAnswers('auto', 'compiling', 'network')).toBe('network');
  expect(whoAnswers('auto', 'checking', 'wait')).toBe('perhaps');
  expect(whoAnswers('auto', 'failed', 'wait')).toBe('network');
  expect(whoAnswers('network', 'ready', 'wait')).toBe('network');
});
