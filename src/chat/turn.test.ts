import { beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import type { Chain } from '../chain/index.ts';
import type { Engine } from '../engine/index.ts';
import { defaultModelHeader } from '../model/testing/default-model.ts';
import { tokenizerSpecFromGguf } from '../model/tokenizer/index.ts';
import type { ChatMessage } from './messages.ts';
import { parseSampling } from './sampling.ts';
import { ChatTemplate } from './template.ts';
import { ArithmeticModel } from './testing/arithmetic-model.ts';
import { Tokenizer } from './tokenizer.ts';
import {
  Dialogue,
  type TurnEvent,
  type TurnForwardOptions,
  type TurnModel,
  type TurnOptions,
} from './turn.ts';

let tokenizer: Tokenizer;
let template: ChatTemplate;
beforeAll(async () => {
  const metadata = (await defaultModelHeader()).metadata;
  tokenizer = new Tokenizer(tokenizerSpecFromGguf(metadata)!);
  template = new ChatTemplate(metadata['tokenizer.chat_template'] as string);
});

const greedy = parseSampling({ temperature: 0 });
const user = (content: string): ChatMessage => ({ role: 'user', content });

function modelSaying(answer: string, maxTokens?: number): ArithmeticModel {
  const cue = tokenizer.encode('<|im_start|>assistant\n', { special: true });
  return new ArithmeticModel(
    tokenizer.size,
    cue,
    [...tokenizer.encode(answer, { special: false }), 2],
    maxTokens,
  );
}

async function read(dialogue: Dialogue, messages: ChatMessage[], options: Partial<TurnOptions> = {}) {
  const events: TurnEvent[] = [];
  for await (const event of dialogue.run(messages, { sampling: greedy, ...options })) events.push(event);
  const done = events.at(-1)!;
  if (done.type !== 'done') throw new Error('no end');
  const text = events.map((event) => (event.type === 'prefill' ? '' : event.text)).join('');
  const ids = events.flatMap((event) => (event.type === 'token' ? [event.id] : []));
  return { events, done, text, ids };
}

test('an engine is something to run turns on', () => {
  expectTypeOf<Engine>().toExtend<TurnModel>();
});

test('a chain is something to run turns on', () => {
  expectTypeOf<Chain>().toExtend<TurnModel>();
});

describe('a model that takes whole prompts', () => {
  test('gets the prompt in one call, and its progress is told while it computes', async () => {
    const model = modelSaying('fine');
    const whole: TurnModel = {
      info: { maxTokens: 4096, chunkTokens: 4096 },
      open: () => model.open(),
      truncate: (session, length) => model.truncate(session, length),
      close: (session) => model.close(session),
      forward: async (session, input, options = {}) => {
        for (const done of [10, 200, input.tokens.length]) {
          options.onProgress?.(done);
          await new Promise((resolve) => setImmediate(resolve));
        }
        return model.forward(session, input, options);
      },
    };
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
    const whole: TurnModel = {
      info: { maxTokens: 4096, chunkTokens: 4096 },
      open: () => model.open(),
      truncate: (session, length) => model.truncate(session, length),
      close: (session) => model.close(session),
      forward: async (session, input, options = {}) => {
        expect(++running).toBe(1);
        options.onProgress?.(1);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        return model.forward(session, input, options);
      },
    };
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
    const light: TurnModel = {
      info: model.info,
      open: () => model.open(),
      truncate: (session, length) => model.truncate(session, length),
      close: (session) => model.close(session),
      forward: async (session, input, options = {}) => {
        samples.push(options.sample && { ...options.sample, history: [...options.sample.history] });
        const { logits, computeMs } = await model.forward(session, input, options);
        return { logits: null, token: logits.indexOf(10), computeMs };
      },
    };
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

describe('a prompt of tokens', () => {
  test('goes to the model as it is, without the template and its stops, and only what is new of the next one', async () => {
    const model = modelSaying('and so on');
    const cue = tokenizer.encode('<|im_start|>assistant\n', { special: true });
    const tokens = [...tokenizer.encodeText('Once upon a time'), ...cue];
    const dialogue = new Dialogue(model, tokenizer, new ChatTemplate(null));
    const run = async (given: readonly number[]) => {
      const events: TurnEvent[] = [];
      for await (const event of dialogue.run({ tokens: given }, { sampling: greedy })) events.push(event);
      return events.map((event) => (event.type === 'prefill' ? '' : event.text)).join('');
    };
    expect(await run(tokens)).toBe('and so on');
    expect(model.calls[0]).toBe(tokens.length);
    model.calls.length = 0;
    expect(await run([...tokens, ...cue])).toBe('and so on');
    expect(model.calls[0]).toBe(cue.length);
  });

  test('an empty one is refused before anything is computed', async () => {
    const model = modelSaying('x');
    const dialogue = new Dialogue(model, tokenizer, template);
    await expect(dialogue.run({ tokens: [] }, { sampling: greedy }).next()).rejects.toMatchObject({
      code: 'bad-request',
    });
    expect(model.sessions.size).toBe(0);
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
    const light: TurnModel = {
      info: model.info,
      open: () => model.open(),
      truncate: (session, length) => model.truncate(session, length),
      close: (session) => model.close(session),
      forward: async (session, input, options = {}) => {
        asked.push(options.sample?.logprobs);
        const { logits, computeMs } = await model.forward(session, input, options);
        return { logits: null, token: logits.indexOf(10), logprobs: { logprob: -1, top: [] }, computeMs };
      },
    };
    const far = await read(new Dialogue(light, tokenizer, template), [user('x')], { logprobs: 2 });
    expect(new Set(asked)).toEqual(new Set([2]));
    expect(far.events.find((event) => event.type === 'token')).toMatchObject({ logprobs: { logprob: -1 } });
    const none = await read(new Dialogue(light, tokenizer, template), [user('x')]);
    expect(none.events.find((event) => event.type === 'token')).not.toHaveProperty('logprobs');
  });
});

describe('a turn', () => {
  test('streams the whole answer and ends at the stop token, with its figures', async () => {
    const answer = 'Grüße aus 東京 👩‍💻! A second line:\n\tdone.';
    const model = modelSaying(answer);
    let time = 0;
    const dialogue = new Dialogue(model, tokenizer, template, { now: () => (time += 10) });
    const { done, text, ids, events } = await read(dialogue, [user('hi')]);
    expect(text).toBe(answer);
    expect(events.every((event) => event.type === 'prefill' || !event.text.includes('\uFFFD'))).toBe(true);
    expect(ids).toEqual(model.answer.slice(0, -1));
    const prompt = template.encode([user('hi')], tokenizer).length;
    expect(done.reason).toBe('stop');
    expect(done.usage).toEqual({
      prompt_tokens: prompt,
      completion_tokens: ids.length,
      total_tokens: prompt + ids.length,
    });
    expect(done.timings).toEqual({
      first_token_ms: 10,
      tokens_per_second: 100,
      compute_ms: prompt + ids.length,
    });
  });

  test('computes only the new suffix of the next prompt, and says the same as without a cache', async () => {
    const model = modelSaying('The first answer.');
    const dialogue = new Dialogue(model, tokenizer, template);
    const first = await read(dialogue, [user('one')]);
    const messages = [
      user('one'),
      { role: 'assistant', content: first.text } as const,
      user('two '.repeat(300)),
    ];
    const prompt = template.encode(messages, tokenizer);
    model.calls.length = 0;
    const progress: number[] = [];
    const second = await read(dialogue, messages, { onPrefill: (done) => progress.push(done) });
    // All but the stop token, which was never fed, is still there.
    expect(second.done.cachedTokens).toBe(first.done.usage.total_tokens);
    const rest = prompt.length - second.done.cachedTokens;
    expect(progress.at(-1)).toBe(rest);
    expect(Math.max(...model.calls)).toBe(128);
    expect(model.calls.slice(0, progress.length).reduce((a, b) => a + b)).toBe(rest);
    expect(model.sessions.size).toBe(1);
    const fresh = await read(new Dialogue(modelSaying('The first answer.'), tokenizer, template), messages);
    expect(second.ids).toEqual(fresh.ids);
  });

  test('an edited question rolls the session back to what it shares', async () => {
    const model = modelSaying('Yes.');
    const dialogue = new Dialogue(model, tokenizer, template);
    await read(dialogue, [user('Is the sky blue?')]);
    const again = await read(dialogue, [user('Is the sky green?')]);
    const a = template.encode([user('Is the sky blue?')], tokenizer);
    const b = template.encode([user('Is the sky green?')], tokenizer);
    const shared = a.findIndex((id, i) => id !== b[i]);
    expect(again.done.cachedTokens).toBe(shared);
    expect(model.truncations).toEqual([shared]);
    expect(again.text).toBe('Yes.');
    const same = await read(dialogue, [user('Is the sky green?')]);
    expect(same.done.cachedTokens).toBe(b.length - 1);
    expect(same.text).toBe('Yes.');
  });

  test('a stop string split over tokens ends the answer and is not shown', async () => {
    const model = modelSaying('one two STOP HERE three');
    const stopped = await read(new Dialogue(model, tokenizer, template), [user('x')], {
      stop: ['P HE', 'zzz'],
    });
    expect(stopped.text).toBe('one two STO');
    expect(stopped.done.reason).toBe('stop');
    const almost = await read(new Dialogue(modelSaying('one STO'), tokenizer, template), [user('x')], {
      stop: ['STOP'],
    });
    expect(almost.text).toBe('one STO');
  });

  test('max_tokens ends it with "length"', async () => {
    const { done, ids } = await read(
      new Dialogue(modelSaying('a b c d e f'), tokenizer, template),
      [user('x')],
      {
        maxTokens: 3,
      },
    );
    expect(done.reason).toBe('length');
    expect(ids.length).toBe(3);
  });

  test('a prompt longer than the context is refused with the numbers before anything is computed', async () => {
    const model = modelSaying('x', 64);
    const run = read(new Dialogue(model, tokenizer, template), [user('word '.repeat(100))]);
    await expect(run).rejects.toMatchObject({
      code: 'context-full',
      message: expect.stringMatching(/\d+ .* 64/),
    });
    expect(model.calls).toEqual([]);
    expect(model.sessions.size).toBe(0);
  });

  test('an answer that fills the context keeps its text and says why it ended', async () => {
    const prompt = template.encode([user('x')], tokenizer).length;
    const model = modelSaying('word '.repeat(100), prompt + 20);
    const { done, ids } = await read(new Dialogue(model, tokenizer, template), [user('x')]);
    expect(done.reason).toBe('context-full');
    // The last token is said but no longer fed.
    expect(ids.length).toBe(21);
  });

  test('stop means stop: within a step, and the next turn reuses what was computed', async () => {
    const model = modelSaying('one two three four five six seven');
    const dialogue = new Dialogue(model, tokenizer, template);
    const abort = new AbortController();
    model.before = (call) => {
      if (call === 4) abort.abort();
    };
    const stopped = await read(dialogue, [user('count')], { signal: abort.signal });
    expect(stopped.done.reason).toBe('aborted');
    expect(model.calls.length).toBe(4);
    expect([...model.sessions.values()][0]!.length).toBe(dialogue.heldTokens);
    model.before = () => undefined;
    const again = await read(dialogue, [user('count')]);
    expect(again.done.cachedTokens).toBe(again.done.usage.prompt_tokens - 1);
    expect(again.text).toBe('one two three four five six seven');
  });

  test('stop during a long prefill takes effect between chunks', async () => {
    const model = modelSaying('x');
    const dialogue = new Dialogue(model, tokenizer, template);
    const abort = new AbortController();
    const long = [user('word '.repeat(1000))];
    const { done } = await read(dialogue, long, { signal: abort.signal, onPrefill: () => abort.abort() });
    expect(done).toMatchObject({ reason: 'aborted', usage: { completion_tokens: 0 } });
    expect(model.calls).toEqual([128]);
    expect((await read(dialogue, long)).done.cachedTokens).toBe(128);
  });

  test('a model that fails once leaves a dialogue that works', async () => {
    const model = modelSaying('fine');
    const dialogue = new Dialogue(model, tokenizer, template);
    model.before = () => {
      model.sessions.clear();
      throw new Error('device lost');
    };
    await expect(read(dialogue, [user('x')])).rejects.toThrow('device lost');
    model.before = () => undefined;
    expect((await read(dialogue, [user('x')])).text).toBe('fine');
  });

  test('a second answer at the same time is refused; a reader that walks away frees the dialogue', async () => {
    const model = modelSaying('a b c d');
    const dialogue = new Dialogue(model, tokenizer, template);
    for await (const event of dialogue.run([user('x')], { sampling: greedy })) {
      if (event.type !== 'token') continue;
      await expect(read(dialogue, [user('y')])).rejects.toMatchObject({ code: 'busy' });
      break;
    }
    expect((await read(dialogue, [user('y')])).text).toBe('a b c d');
    await dialogue.close();
    expect(model.sessions.size).toBe(0);
  });
});
