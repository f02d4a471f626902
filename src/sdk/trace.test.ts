import { expect, it } from 'vitest';
import type { TurnStep } from '../chat/index.ts';
import { MOST_ENTRIES, Trace } from './trace.ts';

function clocked() {
  const clock = { now: 1000 };
  return { clock, trace: new Trace(() => clock.now) };
}
const step = (kind: TurnStep['kind'], startedAt: number): TurnStep => ({
  kind,
  startedAt,
  ms: 20,
  positions: kind === 'token' ? 1 : 40,
  ownMs: 3,
  hopMs: [4, 5],
  wireMs: 8,
});

it('a trace says when each thing began, counted from the question, and gives each entry once', () => {
  const { clock, trace } = clocked();
  clock.now = 1300;
  trace.opened();
  trace.step(step('prefill', 1300));
  expect(trace.take()).toEqual([
    { kind: 'opened', at_ms: 0, ms: 300 },
    { kind: 'prefill', at_ms: 300, ms: 20, positions: 40, own_ms: 3, hops_ms: [4, 5], wire_ms: 8 },
  ]);
  clock.now = 1400;
  trace.lost({ peer: 'x', start: 2, end: 5, reason: 'r'.repeat(5000) });
  clock.now = 1500;
  trace.recovered({ ms: 90, replayed: 41, peers: ['y'] });
  trace.step(step('token', 1390));
  const [lost, recovered, token] = trace.take();
  expect(lost).toMatchObject({ kind: 'lost', at_ms: 400, peer: 'x' });
  expect(lost?.kind === 'lost' && lost.reason.length).toBe(300);
  expect(recovered).toEqual({ kind: 'recovered', at_ms: 410, ms: 90, replayed: 41, peers: ['y'] });
  expect(token).toMatchObject({ kind: 'token', at_ms: 390, positions: 1 });
  expect(trace.take()).toEqual([]);
});

it('a trace has an end, and a loss after thousands of tokens is still in it', () => {
  const { trace } = clocked();
  trace.opened();
  for (let i = 0; i < 5000; i++) trace.step(step('token', 1000 + i));
  trace.lost({ peer: null, start: 0, end: 30, reason: 'gone' });
  const entries = trace.take();
  expect(entries.at(-1)).toMatchObject({ kind: 'lost', peer: null });
  for (let i = 0; i < 500; i++) trace.recovered({ ms: 1, replayed: 1, peers: [] });
  expect(entries.length + trace.take().length).toBe(MOST_ENTRIES);
});
