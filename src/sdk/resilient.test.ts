import { describe, expect, it } from 'vitest';
import { type Backend, type Engine, EngineError, type EngineInfo } from '../engine/index.ts';
import { type EngineLoss, ResilientEngine } from './resilient.ts';

/**
 * A back end whose logits are a function of every token a session holds, in order, so that a lost, doubled or
 * misplaced position changes them; it dies after a number of calls, as a GPU does.
 */
function backEnd(backend: Backend, diesAfter: number): Engine {
  const sessions = new Map<number, number[]>();
  let calls = 0;
  const info: EngineInfo = {
    backend,
    arithmetic: 'exact',
    precision: 'float32',
    slice: { start: 0, end: 1, embed: true, head: true },
    width: 1,
    vocabulary: 1,
    maxTokens: 1000,
    weightBytes: 0,
    kvBytesPerToken: 0,
    threads: 1,
    speed: null,
    fallbacks: [],
    device: null,
  };
  const held = (session: number) => {
    if (++calls > diesAfter) throw new EngineError('lost', 'The device is gone.');
    const tokens = sessions.get(session);
    if (!tokens) throw new EngineError('no-session', 'none');
    return tokens;
  };
  return {
    info,
    async open() {
      sessions.set(sessions.size + 10, []);
      return sessions.size + 9;
    },
    async forward(session, input) {
      const tokens = held(session);
      if (!('tokens' in input)) throw new EngineError('bad-input', 'tokens only');
      tokens.push(...Array.from(input.tokens));
      const hash = tokens.reduce((sum, token) => (Math.imul(sum, 31) + token) | 0, 7);
      return { hidden: null, logits: Float32Array.of(hash & 0xffff), computeMs: 0 };
    },
    decode: async () => [],
    async truncate(session, length) {
      held(session).length = length;
    },
    async close(session) {
      sessions.delete(session);
    },
    async dispose() {},
  };
}

async function turn(engine: {
  open: ResilientEngine['open'];
  forward: ResilientEngine['forward'];
  truncate: ResilientEngine['truncate'];
}) {
  const seen: number[] = [];
  const session = await engine.open();
  const step = async (tokens: number[]) => {
    seen.push((await engine.forward(session, { tokens })).logits![0]!);
  };
  await step(Array.from({ length: 300 }, (_, i) => i));
  await step([5]);
  await engine.truncate(session, 290);
  await step([6, 7]);
  await step([8]);
  return seen;
}

describe('a lost GPU', () => {
  it('at any moment of a turn does not change what is computed', async () => {
    const whole = await turn(backEnd('wasm', Number.POSITIVE_INFINITY));
    for (let diesAfter = 0; diesAfter < 5; diesAfter++) {
      const asked: (readonly Backend[] | undefined)[] = [];
      const engine = new ResilientEngine(
        backEnd('jspi', diesAfter),
        async (backends) => {
          asked.push(backends);
          return backEnd('wasm', Number.POSITIVE_INFINITY);
        },
        () => {},
      );
      expect(await turn(engine)).toEqual(whole);
      expect(engine.recoveries).toBe(1);
      expect(asked).toEqual([['wasm']]);
    }
  });

  it('is told to whoever listens, with the positions that were computed again', async () => {
    const engine = new ResilientEngine(
      backEnd('jspi', 2),
      async () => backEnd('wasm', Number.POSITIVE_INFINITY),
      () => {},
      () => 5,
    );
    const losses: EngineLoss[] = [];
    engine.onLoss = (loss) => losses.push(loss);
    await turn(engine);
    // 300 and one were held when the third call found it gone.
    expect(losses).toEqual([
      { type: 'lost', reason: 'The device is gone.' },
      { type: 'recovered', ms: 0, replayed: 301 },
    ]);
  });

  it('a second time is told instead of tried for ever', async () => {
    const engine = new ResilientEngine(
      backEnd('jspi', 1),
      async () => backEnd('webgpu', 3),
      () => {},
    );
    await expect(turn(engine)).rejects.toMatchObject({ code: 'lost' });
  });
});
