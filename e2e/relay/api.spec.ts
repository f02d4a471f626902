import { expect, test } from '@playwright/test';
import OpenAI from 'openai';
import { TestRelay } from '../network/relay.ts';
import { Tab } from '../network/tab.ts';

const MODEL = 'smollm2-135m-instruct.q4-1';
const QUESTION = {
  model: MODEL,
  messages: [{ role: 'user' as const, content: 'Tell me a story about a dog.' }],
  temperature: 0,
  max_tokens: 64,
};

let relay: TestRelay;
let client: OpenAI;
test.beforeAll(async () => {
  relay = await TestRelay.start('all');
  client = new OpenAI({ baseURL: `${relay.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
test.afterAll(() => relay.close());

/** What our last chunk tells beside OpenAI's fields. */
interface Told {
  route: 'own' | 'network';
  hops: { path: string; start: number; end: number }[];
  recoveries: number;
}

interface Answer {
  text: string;
  tokens: number;
  told: Told;
}

/** @param onText is called with the number of pieces of text so far */
async function stream(onText: (pieces: number) => void = () => {}): Promise<Answer> {
  const answer: Partial<Answer> & { text: string } = { text: '' };
  const chunks = await client.chat.completions.create({
    ...QUESTION,
    stream: true,
    stream_options: { include_usage: true },
  });
  let pieces = 0;
  for await (const chunk of chunks) {
    const said = chunk.choices[0]?.delta.content ?? '';
    answer.text += said;
    if (said) onText(++pieces);
    if (chunk.usage) answer.tokens = chunk.usage.completion_tokens;
    const told = (chunk as unknown as { shoal?: Told }).shoal;
    if (told) answer.told = told;
  }
  return answer as Answer;
}

async function counters(): Promise<Record<string, number>> {
  return (await relay.health()).hosting.counters ?? {};
}

test('the openai client lists models and gets the same text from the relay alone, over tabs, and when they all go', async ({
  browser,
}) => {
  test.setTimeout(300_000);
  const listed = await client.models.list();
  expect(listed.data.map(({ id }) => id)).toEqual([MODEL]);

  const alone = await stream();
  expect(alone.tokens).toBe(64);
  expect(alone.told.route).toBe('own');
  expect(alone.told.hops.map(({ path }) => path)).toEqual(['local']);

  const tabs: Tab[] = [];
  for (const [start, end] of [
    [2, 11],
    [11, 20],
    [20, 30],
  ] as const) {
    const tab = await Tab.open(browser, relay.url);
    tabs.push(tab);
    await tab.share(start, end);
  }
  const shared = await stream();
  expect(shared.told.route).toBe('network');
  expect(shared.told.hops.map(({ start, end, path }) => [start, end, path])).toEqual([
    [2, 11, 'websocket'],
    [11, 20, 'websocket'],
    [20, 30, 'websocket'],
  ]);
  expect(shared.text).toBe(alone.text);
  expect(shared.told.recoveries).toBe(0);

  // All of them leave while the answer is being written.
  let closing: Promise<unknown> | null = null;
  const bereft = await stream((pieces) => {
    if (pieces === 8) closing = Promise.all(tabs.map((tab) => tab.close()));
  });
  expect(closing).not.toBeNull();
  await closing;
  expect(bereft.told.route).toBe('network');
  expect(bereft.told.recoveries).toBeGreaterThan(0);
  expect(bereft.text).toBe(alone.text);
  expect(bereft.told.hops.every(({ path }) => path === 'local')).toBe(true);
});

test('a client that hangs up stops the work within a step', async () => {
  const before = (await counters()).decodePositions ?? 0;
  const control = new AbortController();
  const chunks = await client.chat.completions.create(
    { ...QUESTION, max_tokens: 2_000, stream: true },
    { signal: control.signal },
  );
  let said = 0;
  for await (const chunk of chunks) {
    if (chunk.choices[0]?.delta.content && ++said === 10) control.abort();
  }
  // The relay learns of it when the socket closes; from then on at most the step that runs is finished.
  await expect
    .poll(
      async () =>
        ((await (await fetch(`${relay.url}/healthz`)).json()) as { api: { running: number } }).api.running,
    )
    .toBe(0);
  const stopped = (await counters()).decodePositions ?? 0;
  expect(stopped).toBeGreaterThanOrEqual(before + 9);
  expect(stopped).toBeLessThan(before + 60);
  await stream();
  // The step that ran at the hang-up may be counted after it was looked at; and of a prompt whose cache is there, the
  // last token is computed again, as a step.
  const all = (await counters()).decodePositions ?? 0;
  expect(all - stopped).toBeGreaterThanOrEqual(63);
  expect(all - stopped).toBeLessThanOrEqual(65);
});
