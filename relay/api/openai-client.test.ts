import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from './testing/api.ts';
import { EngineAnswers, MODEL } from './testing/engine-answers.ts';

/** The official client, over a real server, with a real engine behind it. */
let answers: EngineAnswers;
let api: TestApi;
let client: OpenAI;
const close: (() => Promise<void>)[] = [];
beforeAll(async () => {
  answers = await EngineAnswers.open();
  api = await startApi(answers);
  client = clientOf(api);
});
afterEach(async () => {
  answers.before = () => undefined;
  for (const one of close.splice(0)) await one();
});
afterAll(async () => {
  await api.close();
  await answers.close();
});

function clientOf({ url }: TestApi, apiKey = 'none'): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
}

async function another(...options: Parameters<typeof startApi> extends [unknown, ...infer R] ? R : never) {
  const started = await startApi(answers, ...options);
  close.push(() => started.close());
  return started;
}

const hi = {
  model: MODEL,
  messages: [{ role: 'user' as const, content: 'hi' }],
  max_tokens: 8,
  temperature: 0,
};
const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

describe('the openai client', () => {
  it('lists models and finds one', async () => {
    const ids = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toEqual([MODEL]);
    expect((await client.models.retrieve(MODEL)).owned_by).toBe('shoal');
  });

  it('gets a chat whole and streamed, with the same text', async () => {
    const whole = await client.chat.completions.create({
      ...hi,
      max_tokens: undefined,
      max_completion_tokens: 8,
    });
    let text = '';
    let usage: OpenAI.CompletionUsage | null | undefined;
    const stream = await client.chat.completions.create({
      ...hi,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage;
    }
    expect(text).toBe(whole.choices[0]!.message.content);
    expect(usage).toEqual(whole.usage);
    expect(usage?.completion_tokens).toBe(8);
  });

  it('puts a stream together with its own helper', async () => {
    const stream = client.chat.completions.stream({ ...hi, logprobs: true, top_logprobs: 2 });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]!.logprobs?.content).toHaveLength(8);
    expect(final.choices[0]!.message.role).toBe('assistant');
  });

  it('gets logprobs and completions', async () => {
    const chat = await client.chat.completions.create({ ...hi, logprobs: true, top_logprobs: 5 });
    expect(chat.choices[0]!.logprobs?.content?.[0]?.top_logprobs).toHaveLength(5);
    const text = await client.completions.create({
      model: MODEL,
      prompt: 'Once',
      max_tokens: 4,
      temperature: 0,
      logprobs: 1,
    });
    expect(text.choices[0]!.logprobs?.token_logprobs).toHaveLength(4);
    let streamed = '';
    const stream = await client.completions.create({
      model: MODEL,
      prompt: 'Once',
      max_tokens: 4,
      seed: 5,
      stream: true,
    });
    for await (const chunk of stream) streamed += chunk.choices[0]?.text ?? '';
    const again = await client.completions.create({ model: MODEL, prompt: 'Once', max_tokens: 4, seed: 5 });
    expect(streamed).toBe(again.choices[0]!.text);
  });

  it('throws the right class for each error', async () => {
    const bad = await caught(client.chat.completions.create({ ...hi, n: 2 }));
    expect(bad).toBeInstanceOf(OpenAI.BadRequestError);
    expect(bad).toMatchObject({ param: 'n', code: 'unsupported_parameter', type: 'invalid_request_error' });
    expect((bad as InstanceType<typeof OpenAI.APIError>).requestID).toMatch(/^req_/);

    const missing = await caught(client.chat.completions.create({ ...hi, model: 'gpt-4' }));
    expect(missing).toBeInstanceOf(OpenAI.NotFoundError);
    expect(missing).toMatchObject({ code: 'model_not_found' });

    const long = { ...hi, messages: [{ role: 'user' as const, content: 'x'.repeat(5_000) }] };
    expect(await caught(client.chat.completions.create(long))).toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });

    const locked = await another({ keys: 'required' });
    const denied = await caught(clientOf(locked).models.list());
    expect(denied).toBeInstanceOf(OpenAI.AuthenticationError);
    const { key } = await locked.keys.add({ name: 'a', requestsPerMinute: 1 });
    const keyed = clientOf(locked, key);
    expect((await keyed.models.list()).data).toHaveLength(1);
    const limited = await caught(keyed.models.list());
    expect(limited).toBeInstanceOf(OpenAI.RateLimitError);
    expect(
      Number((limited as InstanceType<typeof OpenAI.APIError>).headers?.get('retry-after')),
    ).toBeGreaterThan(0);

    const closed = await another({}, { hold: { accepting: () => false, why: () => 'It stops.' } });
    expect(await caught(clientOf(closed).chat.completions.create(hi))).toBeInstanceOf(
      OpenAI.InternalServerError,
    );
  });

  it('throws at an error in the middle of a stream', async () => {
    let calls = 0;
    answers.before = () => {
      if (calls++ === 4) throw new Error('lost');
    };
    const stream = await client.chat.completions.create({ ...hi, stream: true });
    const read = async () => {
      for await (const _ of stream);
    };
    expect(await caught(read())).toBeInstanceOf(OpenAI.APIError);
  });

  it('ends the work when it is aborted, or leaves a stream', async () => {
    const long = { ...hi, max_tokens: 200 };
    // Far more steps than an abort may take; each is let through when the test has looked.
    let steps = 0;
    answers.before = async () => {
      steps++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const stream = await client.chat.completions.create({ ...long, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    while (api.api.status().running > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(answers.began).toBe(answers.ended);
    expect(steps).toBeLessThan(150);

    const abort = new AbortController();
    const before = answers.began;
    const whole = caught(client.chat.completions.create(long, { signal: abort.signal }));
    while (answers.began === before) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    expect(await whole).toBeInstanceOf(OpenAI.APIUserAbortError);
    while (api.api.status().running > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const done = answers.forwards;
    expect(answers.began).toBe(answers.ended);
    answers.before = () => undefined;
    await client.completions.create({ model: MODEL, prompt: 'x', max_tokens: 1 });
    // Prompt and one token: nothing else ran in between.
    expect(answers.forwards).toBe(done + 1);
  });
});
