import { beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import type { Chain } from '../chain/index.ts';
import type { Engine } from '../engine/index.ts';
import { parseSampling } from './sampling.ts';
import type { TurnStep } from './steps.ts';
import type { ChatTemplate } from './template.ts';
import { altered, greedy, read, TurnWorld, user } from './testing/turn-world.ts';
import type { Tokenizer } from './tokenizer.ts';
import { Dialogue, type TurnForwardOptions, type TurnModel } from './turn.ts';

let tokenizer: Tokenizer;
let template: ChatTemplate;
let modelSaying: TurnWorld['modelSaying'];
beforeAll(async () => {
  ({ tokenizer, template, modelSaying } = await TurnWorld.open());
});

test('an engine is something to run turns on', () => {
  expectTypeOf<Engine>().toExtend<TurnModel>();
});

test('a chain is something to run turns on', () => {
  expectTypeOf<Chain>().toExtend<TurnModel>();
});

describe('a model that takes whole prompts', () => {
  test('gets the prompt in one call, and its progress is told while it computes', async () => {
    const model = modelSaying('fine');
    const whole = altered(model, {
      info: { maxTokens: 4096, chunkTokens: 4096 },
      forward: async (session, input, options = {}) => {
        for (const done of [10, 200, input.tokens.length]) {
          options.onProgress?.(done);
          await new Promise((resolve) => setImmediate(resolve));
        }
        return model.forward(session, input, options);
      },
    });
    const told: number[] = [];
    const messages = [user('word '.repeat(400))];
    const { events, text } = await read(new Dialogue(whole, tokenizer, template), messages, {
      onPrefill: (done) => told.push(done),
    });
    const total = template.encode(messages, tokenizer).length;
    expect(told).toEqual([10, 200, total]);
    expect(events.flatMap((event) => (event.type === 'prefill' ? [event.done] : []))).toEqual(told);
    expect(model.calls[0]).toBe(total);
    expect(text).toBe('fine');
  });

  test('a reader that walks away in the middle of it leaves a dialogue that works', async () => {
    const model = modelSaying('fine');
    let running = 0;
    const whole = altered(model, {
      info: { maxTokens: 4096, chunkTokens: 4096 },
      forward: async (session, input, options = {}) => {
        expect(++running).toBe(1);
        options.onProgress?.(1);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        return model.forward(session, input, options);
      },
    });
    const dialogue = new Dialogue(whole, tokenizer, template);
    for await (const event of dialogue.run([user('x')], { sampling: greedy }))
      if (event.type === 'prefill') break;
    expect(running).toBe(0);
    expect((await read(dialogue, [user('x')])).text).toBe('fine');
  });

  test('stop works while the session is being opened', async () => {
    const model = modelSaying('fine');
    const abort = new AbortController();
    const slow: TurnModel = {
      info: { maxTokens: 4096 },
      open: ({ signal } = {}) =>
        new Promise((_, reject) => {
          signal!.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
          abort.abort();
        }),
      truncate: (session, length) => model.truncate(session, length),
      close: (session) => model.close(session),
      forward: (session, input) => model.forward(session, input),
    };
    const { done } = await read(new Dialogue(slow, tokenizer, template), [user('x')], {
      signal: abort.signal,
    });
    expect(done.reason).toBe('aborted');
  });

  test('one that chooses the tokens itself is told how, with each call that chooses one', async () => {
    const model = modelSaying('one two three');
    const settings = parseSampling({ temperature: 0.8, seed: null });
    const samples: TurnForwardOptions['sample'][] = [];
    const light = altered(model, {
      info: model.info,
      forward: async (session, input, options = {}) => {
        samples.push(options.sample && { ...options.sample, history: [...options.sample.history] });
        const { logits, computeMs } = await model.forward(session, input, options);
        return { logits: null, token: logits.indexOf(10), computeMs };
      },
    });
    const messages = [user('word '.repeat(150))];
    const { ids, text } = await read(new Dialogue(light, tokenizer, template), messages, {
      sampling: settings,
    });
    expect(text).toBe('one two three');
    const prompt = template.encode(messages, tokenizer);
    // The first chunk of the prompt chooses nothing.
    expect(samples[0]).toBeUndefined();
    expect(samples.slice(1).map((sample) => sample!.drawn)).toEqual([0, ...ids.map((_, i) => i + 1)]);
    expect(samples.slice(1).map((sample) => sample!.history)).toEqual([
      prompt,
      ...ids.map((_, i) => [...prompt, ...ids.slice(0, i + 1)]),
    ]);
    const seeds = new Set(samples.slice(1).map((sample) => sample!.sampling.seed));
    expect(seeds.size).toBe(1);
    expect(Number.isSafeInteger([...seeds][0])).toBe(true);
  });
});

describe('the steps of a turn', () => {
  test('are told with what each took: the prefill as one, then each token', async () => {
    const model = modelSaying('one two');
    let time = 0;
    const away = altered(model, {
      info: model.info,
      forward: async (session, input, options) => {
        const { logits } = await model.forward(session, input, options);
        time += 20;
        return { logits, computeMs: 12, hopMs: [4, 5], wireMs: 8 };
      },
    });
    const steps: TurnStep[] = [];
    const dialogue = new Dialogue(away, tokenizer, template, { now: () => time });
    const { ids } = await read(dialogue, [user('word '.repeat(150))], { onStep: (step) => steps.push(step) });
    const positions = template.encode([user('word '.repeat(150))], tokenizer).length;
    // Two chunks of prompt; and after the last token comes the one that ends the turn.
    expect(steps[0]).toEqual({
      kind: 'prefill',
      startedAt: 0,
      ms: 40,
      positions,
      ownMs: 6,
      hopMs: [8, 10],
      wireMs: 16,
    });
    expect(steps.slice(1)).toEqual(
      ids.map((_, i) => ({
        kind: 'token',
        startedAt: 40 + 20 * i,
        ms: 20,
        positions: 1,
        ownMs: 3,
        hopMs: [4, 5],
        wireMs: 8,
      })),
    );
  });
});

describe('log-probabilities', () => {
  test('come from the logits where they are here, and with the token where another peer draws it', async () => {
    const model = modelSaying('hm');
    const { events } = await read(new Dialogue(model, tokenizer, template), [user('x')], { logprobs: 2 });
    const told = events.flatMap((event) => (event.type === 'token' ? [event] : []));
    // One logit is 10, all others 0.
    const rest = Math.exp(-10) * (tokenizer.size - 1);
    expect(told[0]!.logprobs!.logprob).toBeCloseTo(-Math.log1p(rest), 9);
    expect(told[0]!.logprobs!.top[0]).toEqual({ id: told[0]!.id, logprob: told[0]!.logprobs!.logprob });
    expect(told[0]!.logprobs!.top).toHaveLength(2);
    const asked: (number | undefined)[] = [];
    const light = altered(model, {
      info: model.info,
      forward: async (session, input, options = {}) => {
        asked.push(options.sample?.logprobs);
        const { logits, computeMs } = await model.forward(session, input, options);
        return { logits: null, token: logits.indexOf(10), logprobs: { logprob: -1, top: [] }, computeMs };
      },
    });
    const far = await read(new Dialogue(light, tokenizer, template), [user('x')], { logprobs: 2 });
    expect(new Set(asked)).toEqual(new Set([2]));
    expect(far.events.find((event) => event.type === 'token')).toMatchObject({ logprobs: { logprob: -1 } });
    const none = await read(new Dialogue(light, tokenizer, template), [user('x')]);
    expect(none.events.find((event) => event.type === 'token')).not.toHaveProperty('logprobs');
  });
});
