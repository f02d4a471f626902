import { expect, test } from 'vitest';
import { EngineError } from '../../src/engine/index.ts';
import { ArithmeticEngine, EngineDiary } from '../../src/host/testing/arithmetic-engine.ts';
import { BatchedEngine } from './batched-engine.ts';

const FRONT = { start: 0, end: 2, embed: true, head: false };

/** An engine whose runs wait to be let go. */
async function open(sessions: number, onLost?: () => void) {
  const diary = new EngineDiary();
  const inner = new ArithmeticEngine(FRONT, diary, 64);
  const engine = new BatchedEngine(inner, onLost);
  const ids = await Promise.all(Array.from({ length: sessions }, () => engine.open()));
  return { diary, inner, engine, ids };
}

test('single positions of several sessions share a run, prompts do not, and each gets its own numbers', async () => {
  const { diary, engine, ids } = await open(3);
  const alone = await open(3);
  const step = (e: BatchedEngine, at: number, all: number[]) => e.forward(all[at]!, { tokens: [at + 1] });
  for (const [e, all] of [
    [engine, ids],
    [alone.engine, alone.ids],
  ] as const)
    await e.forward(all[2]!, { tokens: [7, 8, 9] });
  const together = await Promise.all([0, 1, 2].map((at) => step(engine, at, ids)));
  const each = [];
  for (const at of [0, 1, 2]) each.push(await step(alone.engine, at, alone.ids));
  expect(together.map(({ hidden }) => hidden)).toEqual(each.map(({ hidden }) => hidden));
  expect(diary.runs).toEqual([[3], [1, 1, 1]]);
  expect([engine.sharedRuns, alone.engine.sharedRuns]).toEqual([1, 0]);
});

test('a call that is stopped before its run is left out, and the others run', async () => {
  const { diary, engine, ids } = await open(3);
  const stop = new AbortController();
  const calls = ids.map((id, at) =>
    engine.forward(id, { tokens: [1] }, at === 1 ? { signal: stop.signal } : {}),
  );
  stop.abort();
  const ends = await Promise.allSettled(calls);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(diary.runs).toEqual([[1, 1]]);
  const cut = engine.forward(ids[0]!, { tokens: [1] });
  const closed = engine.close(ids[0]!);
  await expect(cut).rejects.toMatchObject({ code: 'aborted' });
  await closed;
});

test('one that spoils a run fails alone', async () => {
  const { engine, ids } = await open(2);
  const calls = [engine.forward(ids[0]!, { tokens: [1] }), engine.forward(999, { tokens: [1] })];
  const ends = await Promise.allSettled(calls);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
});

test('an engine that is lost is told once', async () => {
  let lost = 0;
  const { inner, engine, ids } = await open(2, () => lost++);
  inner.failure = new EngineError('lost', 'the worker ended');
  const ends = await Promise.allSettled(ids.map((id) => engine.forward(id, { tokens: [1] })));
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(lost).toBe(1);
});
