import { beforeAll, describe, expect, test } from 'vitest';
import type { ChatMessage } from './messages.ts';
import { ChatTemplate } from './template.ts';
import { greedy, read, TurnWorld, user } from './testing/turn-world.ts';
import type { Tokenizer } from './tokenizer.ts';
import { Dialogue, type TurnEvent } from './turn.ts';

let tokenizer: Tokenizer;
let template: ChatTemplate;
let modelSaying: TurnWorld['modelSaying'];
beforeAll(async () => {
  ({ tokenizer, template, modelSaying } = await TurnWorld.open());
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

describe('an answer that is continued', () => {
  const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
  // The last two are characters of several tokens each.
  const ANSWER = 'one two three, and four 👩‍💻 𝟘';

  test('after any number of tokens goes on as if it had never stopped, and computes nothing twice', async () => {
    const all = (await read(new Dialogue(modelSaying(ANSWER), tokenizer, template), [user('x')])).ids.length;
    for (let stopped = 1; stopped < all; stopped++) {
      const model = modelSaying(ANSWER);
      const dialogue = new Dialogue(model, tokenizer, template);
      const { text } = await read(dialogue, [user('x')], { maxTokens: stopped });
      // Nothing was said yet where the first character is not whole.
      if (text === '') continue;
      model.calls.length = 0;
      const rest = await read(dialogue, [user('x'), assistant(text)], { continueFinal: true });
      expect(text + rest.text).toBe(ANSWER);
      expect(rest.done).toMatchObject({ reason: 'stop' });
      expect(model.calls[0]).toBe(1);
    }
  });

  test('goes on from its text alone in another session, where the tokens of the text are those of the answer', async () => {
    const said = 'one two three';
    const fresh = new Dialogue(modelSaying(ANSWER), tokenizer, template);
    const { text, done } = await read(fresh, [user('x'), assistant(said)], { continueFinal: true });
    expect(said + text).toBe(ANSWER);
    expect(done.type === 'done' && done.usage.prompt_tokens).toBe(
      template.encode([user('x')], tokenizer).length + tokenizer.encode(said, { special: false }).length,
    );
  });

  test('that somebody changed goes on from the changed text', async () => {
    const model = modelSaying('one two three');
    const dialogue = new Dialogue(model, tokenizer, template);
    await read(dialogue, [user('x')], { maxTokens: 2 });
    const { done } = await read(dialogue, [user('x'), assistant('one')], {
      continueFinal: true,
      maxTokens: 1,
    });
    expect(done.type === 'done' && done.cachedTokens).toBe(template.encode([user('x')], tokenizer).length);
  });

  test('stops at a limit and at a stop string of its own', async () => {
    const dialogue = new Dialogue(modelSaying(ANSWER), tokenizer, template);
    const first = await read(dialogue, [user('x')], { maxTokens: 1 });
    const more = await read(dialogue, [user('x'), assistant(first.text)], {
      continueFinal: true,
      stop: [', and'],
    });
    expect(first.text + more.text).toBe('one two three');
  });

  test('is refused where none has begun', async () => {
    const dialogue = new Dialogue(modelSaying('x'), tokenizer, template);
    await expect(read(dialogue, [user('x')], { continueFinal: true })).rejects.toMatchObject({
      code: 'bad-request',
    });
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
