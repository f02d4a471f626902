import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServedModel } from '../shelf.ts';
import {
  AnswersWorld,
  CONTEXT,
  failure,
  LAYERS,
  question,
  RELAY,
  read,
  Shelved,
} from './testing/answers-world.ts';
import type { AnswerEvent } from './types.ts';

let shelf: Shelved;
beforeAll(async () => {
  shelf = await Shelved.open();
}, 300_000);
afterAll(() => shelf.close());

const PATIENCE = 300_000;
const ROUTES = ['own', 'network'] as const;

/** Positions computed at a host by one more question, of another client, and what the host had computed besides. */
async function besides(world: AnswersWorld, peer: string, route: (typeof ROUTES)[number]) {
  const { done } = await read(world, question('Something else', { route, client: 'another', maxTokens: 5 }));
  const { prefillPositions, decodePositions } = world.counters(peer);
  const its = done.usage.prompt - done.usage.cached + done.usage.completion - 1;
  return { its, besides: prefillPositions + decodePositions - its };
}

describe.each(ROUTES)('by the route %s', (route) => {
  it(
    'sixteen conversations at once say what each says alone, and share runs',
    async () => {
      const world = await AnswersWorld.start(shelf);
      if (route === 'network') await world.tabs();
      const questions = Array.from({ length: 16 }, (_, i) =>
        question(`Question number ${i}${' and more'.repeat(i % 5)}`, { route, client: `client ${i}` }),
      );
      const together = await Promise.all(questions.map((asked) => read(world, asked)));
      const alone: string[] = [];
      for (const asked of questions) alone.push(await shelf.alone(asked));
      expect(together.map(({ text }) => text)).toEqual(alone);
      expect(new Set(alone).size).toBeGreaterThan(8);
      const busiest = route === 'own' ? RELAY : 'tab2';
      const { sharedRuns, decodePositions } = world.counters(busiest);
      expect(decodePositions).toBe(16 * 23);
      // If no two ever met there would be none; if all met always, 23.
      expect(sharedRuns).toBeGreaterThan(10);
      const ends = await world.answers.sharedRuns(shelf.served.cid);
      if (route === 'network') {
        expect(ends!.front).toBeGreaterThan(10);
        expect(ends!.head).toBeGreaterThan(10);
      } else expect(ends).toBeNull();
      expect(world.answers.status()).toEqual({ running: 0, openChains: 16 });
    },
    PATIENCE,
  );

  it(
    "tells log-probabilities that are the log softmax of the model's logits",
    async () => {
      const world = await AnswersWorld.start(shelf);
      if (route === 'network') await world.tabs();
      // A warm sampler with a penalty: the numbers are of the model's own distribution all the same.
      const sampling = { ...question('').sampling, temperature: 0.9, repetitionPenalty: 1.2, seed: 5 };
      const asked = question('How sure are you?', { route, logprobs: 4, sampling, maxTokens: 6 });
      const { tokens, text } = await read(world, asked);
      expect(text).toBe(await shelf.alone(asked));
      const engine = await shelf.whole();
      const session = await engine.open();
      let input = promptOf(asked);
      for (const { id, logprob } of tokens) {
        const { logits } = await engine.forward(session, { tokens: input });
        const all = logSoftmax(logits!);
        const order = all
          .map((value, at) => ({ id: at, value }))
          .sort((a, b) => b.value - a.value || a.id - b.id);
        expect(logprob!.id).toBe(id);
        expect(logprob!.logprob).toBeCloseTo(all[id]!, 9);
        expect(logprob!.top.map((one) => one.id)).toEqual(order.slice(0, 4).map((one) => one.id));
        logprob!.top.forEach((one, at) => {
          expect(one.logprob).toBeCloseTo(order[at]!.value, 9);
        });
        expect([...logprob!.bytes]).toEqual([...shelf.tokenizer.bytes(id)]);
        input = [id];
      }
      const none = await read(world, { ...asked, logprobs: 0 });
      expect(none.tokens[0]!.logprob!.top).toEqual([]);
      expect((await read(world, { ...asked, logprobs: null })).tokens[0]).not.toHaveProperty('logprob');
    },
    PATIENCE,
  );

  it.each(['the signal', 'a reader that leaves'])(
    'ends within a step by %s, and the conversation can go on',
    async (how) => {
      const world = await AnswersWorld.start(shelf);
      if (route === 'network') await world.tabs();
      const peer = route === 'own' ? RELAY : 'tab3';
      const asked = question('Tell me a long story', { route, maxTokens: 120 });
      const expected = await shelf.alone(asked);
      const stop = new AbortController();
      let text = '';
      let tokens = 0;
      const reading = async () => {
        for await (const event of world.answers.ask(asked, stop.signal)) {
          if (event.type === 'token') text += event.text;
          if (event.type !== 'token' || ++tokens < 10) continue;
          if (how === 'the signal') stop.abort();
          else break;
        }
      };
      if (how === 'the signal') await expect(reading()).rejects.toMatchObject({ code: 'aborted' });
      else await reading();
      expect(tokens).toBe(10);
      expect(world.answers.status()).toEqual({ running: 0, openChains: 1 });
      // The step that was under way may have come to its end; while another question is answered nothing else is done.
      const prompt = promptOf(asked).length;
      const first = await besides(world, peer, route);
      expect(first.besides).toBeLessThanOrEqual(prompt + 10);
      const second = await besides(world, peer, route);
      expect(second.besides - first.besides).toBe(first.its);
      const again = await read(world, asked);
      expect(again.text).toBe(expected);
      expect(expected.startsWith(text)).toBe(true);
      expect(again.done.usage.cached).toBe(again.done.usage.prompt - 1);
    },
    PATIENCE,
  );

  it(
    'a stop in the prompt ends it as well',
    async () => {
      const world = await AnswersWorld.start(shelf, { chainLimits: { chunk: 8 } });
      if (route === 'network') await world.tabs();
      const stop = new AbortController();
      const asked = question('word '.repeat(22), { route });
      const seen: AnswerEvent[] = [];
      const reading = async () => {
        for await (const event of world.answers.ask(asked, stop.signal)) {
          seen.push(event);
          stop.abort();
        }
      };
      await expect(reading()).rejects.toMatchObject({ code: 'aborted' });
      expect(seen.some(({ type }) => type === 'token')).toBe(false);
      const peer = route === 'own' ? RELAY : 'tab3';
      const first = await besides(world, peer, route);
      expect(first.besides).toBeLessThan(promptOf(asked).length);
      const second = await besides(world, peer, route);
      expect(second.besides - first.besides).toBe(first.its);
      expect((await read(world, asked)).text).toBe(await shelf.alone(asked));
    },
    PATIENCE,
  );

  it(
    'the next question of the same client finds its caches, that of another never',
    async () => {
      const world = await AnswersWorld.start(shelf);
      if (route === 'network') await world.tabs();
      const first = question('My name is Ada.', { route, maxTokens: 8 });
      const { text } = await read(world, first);
      const messages = [
        { role: 'user' as const, content: 'My name is Ada.' },
        { role: 'assistant' as const, content: text },
        { role: 'user' as const, content: 'What is it?' },
      ];
      const next = { ...first, prompt: { messages } };
      const stranger = await read(world, { ...next, client: 'two' });
      expect(stranger.done.usage.cached).toBe(0);
      const same = await read(world, next);
      expect(same.done.usage.cached).toBeGreaterThan(20);
      expect(same.text).toBe(stranger.text);
      expect(world.answers.status().openChains).toBe(2);
    },
    PATIENCE,
  );

  it(
    'raw text goes on as it is, and finds its caches too',
    async () => {
      const world = await AnswersWorld.start(shelf);
      if (route === 'network') await world.tabs();
      const asked = question('', { route, prompt: { text: 'Once upon a </s> time' }, maxTokens: 8 });
      const { text, done } = await read(world, asked);
      expect(text).toBe(await shelf.alone(asked));
      // Behind the BOS token everything is text, also a control token that somebody typed.
      const [bos, ...rest] = shelf.tokenizer.encodeText('Once upon a </s> time');
      expect([bos, rest.includes(2), done.usage.prompt]).toEqual([1, false, 1 + rest.length]);
      const more = await read(world, { ...asked, prompt: { text: `Once upon a </s> time${text}!` } });
      expect(more.done.usage.cached).toBeGreaterThanOrEqual(done.usage.prompt);
    },
    PATIENCE,
  );
});

describe('what cannot be answered', () => {
  it(
    'is told by its code, and in no message or log line is anything of the prompt',
    async () => {
      let served: ServedModel[] = [shelf.served];
      const world = await AnswersWorld.start(shelf, { models: () => served });
      const secret = 'xyzzy-4711';
      const asked = question(secret);
      const errors = [
        await failure(world, { ...asked, model: 'bafy-nothing' }),
        await failure(world, question(secret.repeat(40))),
        await failure(world, { ...asked, prompt: { text: secret.repeat(40) } }),
        await failure(world, { ...asked, logprobs: 21 }),
        await failure(world, { ...asked, maxTokens: 0 }),
        await failure(world, asked, AbortSignal.abort()),
      ] as Error[];
      expect(errors.map((error) => (error as Error & { code?: string }).code)).toEqual([
        'no-model',
        'context-full',
        'context-full',
        'bad-question',
        'bad-question',
        'aborted',
      ]);
      expect(errors[0]!.message).toContain('tiny');
      served = [{ ...shelf.served, cid: 'bafy-other', id: 'other' }];
      const bad = (await failure(world, { ...asked, model: 'other' })) as Error & { code: string };
      expect(bad.code).toBe('failed');
      const told = [...errors, bad].map(({ message }) => message).join(' ') + world.logged.join(' ');
      expect(told).not.toContain('xyzzy');
      expect(world.metric('shoal_errors_total', { room: 'answers' })).toBe(7);
    },
    PATIENCE,
  );

  it(
    'a model is listed with its length, and gone with everything that was kept of it when it is taken off',
    async () => {
      let served: ServedModel[] = [shelf.served];
      const world = await AnswersWorld.start(shelf, { models: () => served, limits: { maxTokens: 100 } });
      expect(world.answers.models()).toEqual([
        { id: 'tiny', cid: shelf.served.cid, created: expect.any(Number), maxTokens: 100 },
      ]);
      const { done } = await read(
        world,
        question('Hello', { model: shelf.served.cid, maxTokens: undefined }),
      );
      expect(done.usage.prompt + done.usage.completion).toBeLessThanOrEqual(101);
      expect(done.reason).toBe('length');
      expect(world.answers.status().openChains).toBe(1);
      const over = sessionsOver(world);
      served = [];
      expect(await failure(world, question('Hello'))).toMatchObject({ code: 'no-model' });
      expect(world.answers.status().openChains).toBe(0);
      await over;
    },
    PATIENCE,
  );

  it(
    'is busy when every place is taken by a running answer; a kept conversation gives way',
    async () => {
      const world = await AnswersWorld.start(shelf, { limits: { chains: 2 } });
      const ask = (client: string) =>
        world.answers.ask(question('Hi', { client }), new AbortController().signal);
      const [first, second] = [ask('a'), ask('b')];
      await first.next();
      await second.next();
      expect(await failure(world, question('Hi', { client: 'c' }))).toMatchObject({ code: 'busy' });
      await second.return();
      expect(world.answers.status()).toEqual({ running: 1, openChains: 2 });
      expect((await read(world, question('Hi', { client: 'c' }))).done.usage.cached).toBe(0);
      expect(world.answers.status().openChains).toBe(2);
      await first.return();
    },
    PATIENCE,
  );

  it(
    'takes the memory of kept conversations, then a shorter session, then it is busy',
    async () => {
      const probe = await shelf.load({ start: 2, end: LAYERS, embed: false, head: false });
      const { kvBytesPerToken, weightBytes } = probe.info;
      const ends = await shelf.load({ start: 0, end: 2, embed: true, head: false });
      const head = await shelf.load({ start: LAYERS, end: LAYERS, embed: false, head: true });
      const weights = weightBytes + ends.info.weightBytes + head.info.weightBytes;
      // One session of the whole context and an eighth of another; the estimate of a part may be off by as much.
      const memory = weights + 1.1 * CONTEXT * (kvBytesPerToken + ends.info.kvBytesPerToken);
      const world = await AnswersWorld.start(shelf, { memory });
      const long = { maxTokens: CONTEXT - 60, route: 'own' as const };
      await read(world, question('First', { ...long, client: 'a', stop: ['e', 'a', 'o'] }));
      await read(world, question('Second', { ...long, client: 'b', stop: ['e', 'a', 'o'] }));
      expect(world.counters().opened).toBe(2);
      expect(world.answers.status().openChains).toBe(1);
      const running = world.answers.ask(
        question('Third', { ...long, client: 'c' }),
        new AbortController().signal,
      );
      await running.next();
      expect(await failure(world, question('Fourth', { ...long, client: 'd' }))).toMatchObject({
        code: 'busy',
      });
      await running.return();
    },
    PATIENCE,
  );
});

it(
  'closing ends what runs, frees every session, and takes no more questions',
  async () => {
    const world = await AnswersWorld.start(shelf);
    const running = world.answers.ask(question('Go on', { maxTokens: 100 }), new AbortController().signal);
    await running.next();
    await read(world, question('Kept', { client: 'two' }));
    const over = sessionsOver(world);
    await world.answers.close();
    await expect(
      (async () => {
        for await (const _event of running);
      })(),
    ).rejects.toMatchObject({ code: 'stopping' });
    expect(await failure(world, question('More'))).toMatchObject({ code: 'stopping' });
    await over;
    expect(world.answers.status()).toEqual({ running: 0, openChains: 0 });
  },
  PATIENCE,
);

it(
  'a kept conversation is closed when nobody asks for too long',
  async () => {
    const world = await AnswersWorld.start(shelf, { limits: { idleMs: 1 } });
    await read(world, question('Hello'));
    await sessionsOver(world);
    expect(world.answers.status().openChains).toBe(0);
  },
  PATIENCE,
);

/** Resolves when the own host has no session any more. */
function sessionsOver(world: AnswersWorld): Promise<void> {
  const host = world.hosts.get(RELAY)!;
  return new Promise((resolve) => {
    const look = () => {
      if (host.status().sessions > 0) return;
      off();
      resolve();
    };
    const off = host.subscribe(look);
    look();
  });
}

function promptOf(asked: ReturnType<typeof question>): number[] {
  if ('text' in asked.prompt) return shelf.tokenizer.encodeText(asked.prompt.text);
  const [message] = asked.prompt.messages;
  return shelf.tokenizer.encode(`<s>User: ${message!.content}\nAssistant:`, { special: true });
}

function logSoftmax(logits: Float32Array): number[] {
  const most = Math.max(...logits);
  const sum = [...logits].reduce((total, logit) => total + Math.exp(logit - most), 0);
  return [...logits].map((logit) => logit - most - Math.log(sum));
}
