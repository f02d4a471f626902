import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AnswersWorld, Shelved } from '../answers/testing/answers-world.ts';
import { startApi, type TestApi } from './testing/api.ts';
import { CHAT, until } from './testing/fixture.ts';
import { post } from './testing/sse.ts';

/** The relay's own answers behind the API: a real chain over real hosts. */
let shelf: Shelved;
let world: AnswersWorld;
let api: TestApi;
beforeAll(async () => {
  shelf = await Shelved.open();
  world = await AnswersWorld.start(shelf);
  await world.tabs();
  api = await startApi(world.answers);
}, 120_000);
afterAll(async () => {
  await api?.close();
  await shelf?.close();
});

it('says over the network what the relay says alone, and tells how', async () => {
  const [{ id: model } = { id: '' }] = world.answers.models();
  const ask = (route: string) =>
    post(api.url, CHAT, {
      model,
      messages: [{ role: 'user', content: 'Hello' }],
      temperature: 0,
      max_tokens: 12,
      stream: true,
      route,
    });
  const own = await ask('own');
  const network = await ask('network');
  const said = (chunks: (typeof own)['chunks']) =>
    chunks.map((one) => one.choices[0]?.delta.content ?? '').join('');
  expect(said(network.chunks)).toBe(said(own.chunks));
  expect(own.headers.get('x-shoal-route')).toBe('own');
  expect(network.headers.get('x-shoal-route')).toMatch(/^network; hops=\d+; relayed=0$/);
  expect(network.chunks.at(-1).shoal.hops.length).toBeGreaterThan(1);
  expect(network.text).not.toContain('tab1');
}, 120_000);

it('stops the work everywhere when the client leaves', async () => {
  const client = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const [{ id: model } = { id: '' }] = world.answers.models();
  const stream = await client.chat.completions.create({
    model,
    messages: [{ role: 'user', content: 'Go on for long' }],
    stream: true,
  });
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
  await until(() => api.api.status().running === 0 && world.answers.status().running === 0);
  // A hop may still be at the step that was under way; the answer that follows comes after all that was queued.
  const decoded = () =>
    Math.max(...[...world.hosts.keys()].map((peer) => world.counters(peer).decodePositions));
  const before = decoded();
  const body = { model, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 2 };
  expect((await post(api.url, CHAT, body)).status).toBe(200);
  // One step of the abandoned answer at most, and the second token of this one.
  expect(decoded() - before).toBeLessThanOrEqual(2);
}, 120_000);
