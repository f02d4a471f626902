import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChatCompletionChunk, TraceEntry } from '../../sdk/early.ts';
import { keptHappened, MOST_ENTRIES, parseHappened, Recorder } from './happened.ts';
import type { Happened } from './types.ts';

const step = (at_ms: number, kind: 'prefill' | 'token' = 'token'): TraceEntry => ({
  kind,
  at_ms,
  ms: 10,
  positions: 1,
  own_ms: 4,
  hops_ms: [3, 2],
  wire_ms: 1,
});

const lost: TraceEntry = { kind: 'lost', at_ms: 50, peer: 'p', start: 0, end: 3, reason: 'gone' };

function chunk(
  trace: TraceEntry[],
  tokens: number,
  usage?: [prompt: number, answer: number],
): ChatCompletionChunk {
  return {
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'tiny',
    choices: [{ index: 0, delta: { content: 'x' }, finish_reason: usage ? 'stop' : null }],
    shoal: {
      route: 'local',
      reason: null,
      privacy: 'private',
      hops: [{ peer: 'p', start: 0, end: 3, path: 'direct', backend: 'wasm', round_trip_ms: null }],
      token_ids: Array.from({ length: tokens }, (_, i) => i),
      timings: {
        first_token_ms: 1,
        tokens_per_second: 20.123456,
        compute_ms: 1,
        wire_ms: 0,
        compute_ms_per_token: 1,
        wire_ms_per_token: 0,
      },
      recoveries: 1,
      trace,
    },
    ...(usage
      ? {
          usage: {
            prompt_tokens: usage[0],
            completion_tokens: usage[1],
            total_tokens: usage[0] + usage[1],
            prompt_tokens_details: { cached_tokens: 0 },
          },
        }
      : {}),
  };
}

test('what happened is gathered from the chunks, and goes on where an answer is continued', () => {
  const first = new Recorder(null, () => 'wasm');
  expect(first.get()).toBeNull();
  first.add(chunk([{ kind: 'opened', at_ms: 0, ms: 5 }, step(5, 'prefill')], 1));
  first.add(chunk([step(20)], 2, [30, 2]));
  const before = first.get()!;
  expect(before).toMatchObject({ backend: 'wasm', model: 'tiny', promptTokens: 30, answerTokens: 2 });
  expect(before.trace.map(({ at_ms }) => at_ms)).toEqual([0, 5, 20]);
  expect(before).not.toHaveProperty('token_ids');
  const second = new Recorder(before, () => 'wasm');
  expect(second.get()).toBe(before);
  second.add(chunk([step(3, 'prefill')], 1, [32, 5]));
  const after = second.get()!;
  expect(after).toMatchObject({ promptTokens: 30, answerTokens: 7, recoveries: 2 });
  expect(after.trace.map(({ at_ms }) => at_ms)).toEqual([0, 5, 20, 33]);
  expect(before.trace).toHaveLength(3);
});

test('a trace has a cap in memory and a lower one where it is kept, which spares losses and recoveries', () => {
  const recorder = new Recorder(null, () => null);
  for (let i = 0; i < MOST_ENTRIES + 10; i++) recorder.add(chunk([i === 1000 ? lost : step(i)], 1));
  const whole = recorder.get()!;
  expect(whole.trace).toHaveLength(MOST_ENTRIES);
  const text = keptHappened(whole);
  expect(text.length).toBeLessThan(40_000);
  const kept = parseHappened(text)!;
  expect(kept.trace).toHaveLength(256);
  expect(kept.trace).toContainEqual(lost);
  expect(kept.timings.tokens_per_second).toBe(20.12);
  expect(parseHappened(keptHappened(kept))).toEqual(kept);
});

test('whatever a file says that happened is either of that shape or nothing', () => {
  const recorder = new Recorder(null, () => 'wasm');
  recorder.add(
    chunk([step(1), lost, { kind: 'recovered', at_ms: 1, ms: 2, replayed: 3, peers: ['p'] }], 1, [3, 1]),
  );
  const good = recorder.get()!;
  const names = Object.keys(good) as (keyof Happened)[];
  const bad = fc.oneof(fc.jsonValue(), fc.constantFrom('x'.repeat(5000), [{ kind: 'token' }], [null]));
  fc.assert(
    fc.property(fc.constantFrom(...names), bad, (name, value) => {
      const parsed = parseHappened(JSON.stringify({ ...good, [name]: value }));
      if (parsed) expect(parseHappened(JSON.stringify(parsed))).toEqual(parsed);
    }),
  );
  const refused = [
    null,
    '',
    '{}',
    '[]',
    'null',
    JSON.stringify({ ...good, hops: new Array(65).fill(good.hops[0]) }),
  ];
  for (const text of refused) expect(parseHappened(text)).toBeNull();
  expect(parseHappened(JSON.stringify(good))).toEqual(good);
});
