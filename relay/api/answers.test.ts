import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { AnswerEvent } from '../answers/types.ts';
import type { ChatAnswer, ChatChunk } from './chat-shape.ts';
import { startApi } from './testing/api.ts';
import { DESCRIPTION, faults } from './testing/contract.ts';
import { MODEL } from './testing/engine-answers.ts';
import { CHAT, Fixture, hi, TEXT, until } from './testing/fixture.ts';
import { post, read } from './testing/sse.ts';
import type { TextAnswer, TextChunk } from './text-shape.ts';

const fixture = new Fixture();

describe('chat completions', () => {
  it('answer whole, with usage and how it came about', async () => {
    const { url } = await fixture.start();
    const { json, headers } = await post(url, CHAT, hi);
    expect(json.choices).toHaveLength(1);
    expect(json.choices[0].finish_reason).toBe('length');
    expect(json.usage.completion_tokens).toBe(8);
    expect(json.usage.total_tokens).toBe(json.usage.prompt_tokens + 8);
    expect(json.model).toBe(MODEL);
    expect(fixture.answers.model.cid.endsWith(json.system_fingerprint.slice('shoal_'.length))).toBe(true);
    expect(json.shoal).toMatchObject({ route: 'own', hops: [], recoveries: 0 });
    expect(headers.get('x-shoal-route')).toBe('own');
    expect(headers.get('x-shoal-queue')).toBe('0');
    expect(headers.get('x-request-id')).toMatch(/^req_/);
    expect(headers.get('server-timing')).toMatch(/^queue;dur=[\d.]+, find;dur=[\d.]+, first;dur=[\d.]+$/);
  });

  it('say the same in a stream: role, text, end, usage, [DONE]', async () => {
    const { url } = await fixture.start();
    const whole = await post(url, CHAT, hi);
    const { chunks, done, headers, text } = await post(url, CHAT, {
      ...hi,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(done).toBe(true);
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', content: '', refusal: null });
    const [last, end] = [chunks.at(-1), chunks.at(-2)];
    expect(end.choices[0]).toEqual({ index: 0, delta: {}, logprobs: null, finish_reason: 'length' });
    expect(last.choices).toEqual([]);
    expect(last.usage).toEqual(whole.json.usage);
    expect(last.shoal.route).toBe('own');
    const said = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    expect(said).toBe(whole.json.choices[0].message.content);
    expect(chunks.slice(0, -1).every(({ usage, shoal }) => usage === null && shoal === undefined)).toBe(true);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it('stream without usage unless asked, and tell the route on the last chunk', async () => {
    const { url } = await fixture.start();
    const { chunks } = await post(url, CHAT, { ...hi, stream: true });
    expect(chunks.every((chunk) => !('usage' in chunk))).toBe(true);
    expect(chunks.at(-1).choices[0].finish_reason).toBe('length');
    expect(chunks.at(-1).shoal.timings.first_token_ms).toBeGreaterThan(0);
  });

  it('give logprobs that are probabilities of the text', async () => {
    const { url } = await fixture.start();
    const { json } = await post(url, CHAT, { ...hi, logprobs: true, top_logprobs: 3 });
    const content = json.choices[0].logprobs.content;
    expect(content).toHaveLength(8);
    for (const entry of content) {
      expect(entry.top_logprobs).toHaveLength(3);
      // The likeliest is chosen at temperature 0.
      expect(entry.top_logprobs[0].logprob).toBe(entry.logprob);
    }
    const bytes = content.flatMap((entry: { bytes: number[] }) => entry.bytes);
    expect(Buffer.from(bytes).toString()).toBe(json.choices[0].message.content);
    const streamed = await post(url, CHAT, { ...hi, logprobs: true, top_logprobs: 3, stream: true });
    expect(streamed.chunks.flatMap((chunk) => chunk.choices[0].logprobs?.content ?? [])).toEqual(content);
  });

  it('stop at a stop text, which is no part of the answer', async () => {
    const { url } = await fixture.start();
    const { json } = await post(url, CHAT, { ...hi, max_tokens: 40 });
    const text: string = json.choices[0].message.content;
    const stop = text.slice(3, 5);
    const stopped = await post(url, CHAT, { ...hi, max_tokens: 40, stop });
    expect(stopped.json.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: text.slice(0, text.indexOf(stop)) },
    });
  });
});

describe('completions', () => {
  it('continue a text as it is, without a template', async () => {
    const { url } = await fixture.start();
    const request = { model: MODEL, prompt: ['Once'], max_tokens: 6, temperature: 0, logprobs: 2 };
    const { json } = await post(url, TEXT, request);
    const { text, logprobs, finish_reason } = json.choices[0];
    expect(finish_reason).toBe('length');
    expect(fixture.answers.questions.at(-1)?.prompt).toEqual({ text: 'Once' });
    expect(logprobs.tokens).toHaveLength(6);
    expect(logprobs.text_offset[0]).toBe(0);
    expect(Object.keys(logprobs.top_logprobs[0]).length).toBeLessThanOrEqual(2);
    const { chunks } = await post(url, TEXT, {
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(chunks.map((chunk) => chunk.choices[0]?.text ?? '').join('')).toBe(text);
    expect(chunks.at(-1).usage).toEqual(json.usage);
    expect(chunks.at(-2).choices[0].finish_reason).toBe('length');
  });
});

describe('models', () => {
  it('are listed, and found by id with a slash and by cid', async () => {
    const { url } = await fixture.start();
    const list = await (await fetch(`${url}/v1/models`)).json();
    expect(faults('ListModelsResponse', list)).toBe('');
    for (const name of [MODEL, encodeURIComponent(MODEL), fixture.answers.model.cid]) {
      const model = await (await fetch(`${url}/v1/models/${name}`)).json();
      expect(faults('Model', model)).toBe('');
      expect(model).toEqual((list as { data: unknown[] }).data[0]);
    }
    const missing = await fetch(`${url}/v1/models/gpt-4`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ error: { code: 'model_not_found', param: 'model' } });
    const head = await fetch(`${url}/v1/models`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
  });
});

describe('the route', () => {
  it('is taken from the body, else the header, else the address, else the configuration', async () => {
    const { url } = await fixture.start({ route: 'auto' });
    const route = () => fixture.answers.questions.at(-1)?.route;
    await post(url, CHAT, hi);
    expect(route()).toBe('auto');
    await post(`${url}`, CHAT, hi, { 'x-shoal-route': 'own' });
    expect(route()).toBe('own');
    await post(url, CHAT, { ...hi, route: 'network' }, { 'x-shoal-route': 'own' });
    expect(route()).toBe('network');
    const asked = await fetch(`${url}${CHAT}?route=network`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(hi),
    });
    await read(asked, CHAT);
    expect(route()).toBe('network');
    expect((await post(url, CHAT, hi, { 'x-shoal-route': 'moon' })).json.error.param).toBe('x-shoal-route');
  });

  it('is told with hops, and without the names of peers', async () => {
    const hop = {
      start: 0,
      end: 2,
      peer: 'QmSecret',
      path: 'relayed' as const,
      roundTripMs: 20.06,
      backend: 'jspi',
      backups: 1,
    };
    const events: AnswerEvent[] = [
      { type: 'route', route: 'network', hops: [hop, { ...hop, path: 'direct', roundTripMs: null }] },
      { type: 'token', id: 5, text: 'a' },
      {
        type: 'done',
        reason: 'stop',
        text: '',
        usage: { prompt: 3, cached: 1, completion: 1 },
        timings: { firstTokenMs: 5, computeMs: 2, wireMs: 3, findMs: 1 },
        recoveries: 2,
      },
    ];
    // The wire form alone is looked at here: no network that a test could wait for has two such hops.
    const told = await startApi({
      models: () => fixture.answers.models(),
      ask: async function* () {
        yield* events;
      },
      status: () => fixture.answers.status(),
      close: async () => {},
    });
    try {
      const { headers, chunks, text } = await post(told.url, CHAT, { ...hi, stream: true });
      expect(headers.get('x-shoal-route')).toBe('network; hops=2; relayed=1');
      expect(chunks.at(-1).shoal).toMatchObject({
        route: 'network',
        recoveries: 2,
        hops: [
          { start: 0, end: 2, path: 'relayed', backend: 'jspi', round_trip_ms: 20.1 },
          { round_trip_ms: null },
        ],
      });
      expect(text).not.toContain('QmSecret');
    } finally {
      await told.close();
    }
  });
});

describe('the log and the meters', () => {
  it('tell every request, and no word of it', async () => {
    const { url, log, meters } = await fixture.start();
    const words = { ...hi, messages: [{ role: 'user', content: 'mellon' }] };
    const { json, headers } = await post(url, CHAT, words);
    await until(() => log.lines.length === 1);
    expect(log.lines[0]).toContain(headers.get('x-request-id')!);
    expect(log.lines.join()).not.toContain('mellon');
    expect(meters.of('shoal_api_requests_total', { endpoint: 'chat', end: 'ok' })).toBe(1);
    expect(meters.of('shoal_api_tokens_total', { kind: 'completion' })).toBe(8);
    expect(meters.of('shoal_api_tokens_total', { kind: 'prompt' })).toBe(json.usage.prompt_tokens);
    expect(meters.of('shoal_queue_seconds')).toBe(1);
  });
});

describe('the contract', () => {
  it('describes the endpoints that are served, and every route may be used from any page', async () => {
    const { api } = await fixture.start();
    for (const path of Object.keys(DESCRIPTION.paths)) {
      const route = api.routes.find(({ matches }) => matches(path));
      const methods = Object.keys(DESCRIPTION.paths[path]!).map((method) => method.toUpperCase());
      expect([...(route?.methods ?? [])]).toEqual(methods);
    }
    expect(api.routes.every(({ crossOrigin, kind }) => crossOrigin && kind === 'api')).toBe(true);
  });

  it('lets pages of other origins ask, with the headers that the openai client sends', async () => {
    const { url } = await fixture.start();
    const preflight = await fetch(url + CHAT, {
      method: 'OPTIONS',
      headers: {
        Origin: 'https://chat.example.org',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,content-type,x-shoal-route,x-stainless-lang',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
    const allowed = preflight.headers.get('access-control-allow-headers')?.toLowerCase();
    for (const name of ['authorization', 'content-type', 'x-shoal-route', 'x-stainless-lang']) {
      expect(allowed).toContain(name);
    }
    const { headers } = await post(url, CHAT, hi, { Origin: 'https://chat.example.org' });
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.has('access-control-allow-credentials')).toBe(false);
    const exposed = headers.get('access-control-expose-headers')?.toLowerCase();
    for (const name of ['x-shoal-route', 'x-shoal-queue', 'server-timing', 'x-request-id', 'retry-after']) {
      expect(exposed).toContain(name);
    }
  });

  it("is one with OpenAI's own types", () => {
    // Checked by the compiler.
    const chat = (value: ChatAnswer): OpenAI.ChatCompletion => value;
    const chunk = (value: ChatChunk): OpenAI.ChatCompletionChunk => value;
    const text = (value: TextAnswer): OpenAI.Completion => value;
    // OpenAI's types know no chunks of completions, whose finish_reason is null.
    const piece = (
      value: Omit<TextChunk, 'choices' | 'usage'>,
    ): Omit<OpenAI.Completion, 'choices' | 'usage'> => value;
    expect([chat, chunk, text, piece]).toHaveLength(4);
  });
});
