import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, EngineError } from '../../engine/index.ts';
import { loadSlice, nodePlatform } from '../../engine/node.ts';
import { altered } from '../../engine/testing/altered.ts';
import { type Tab, Tabs } from '../testing/tabs.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import type { CompletionParameters } from '../types.ts';

const LAYERS = 8;
const TOKENS = 20;

let gguf: Uint8Array;
let expected: string;
let tabs: Tabs;

const question = (content: string, more: Partial<CompletionParameters> = {}) => ({
  messages: [{ role: 'user' as const, content }],
  temperature: 0,
  max_tokens: TOKENS,
  ...more,
});
const overNetwork = (content: string, more: Partial<CompletionParameters> = {}) =>
  question(content, { route: 'network', ...more });

async function say({ shoal }: Tab, parameters: CompletionParameters) {
  const answer = await shoal.chat.completions.create({ ...parameters, stream: false });
  return { text: answer.choices[0]!.message.content, usage: answer.usage, ...answer.shoal };
}

/** A tab that lends these layers. */
async function host(start: number, end: number): Promise<Tab> {
  const tab = tabs.open();
  await tab.shoal.share({ layers: [start, end] });
  return tab;
}

beforeAll(async () => {
  gguf = tinyModel(LAYERS, 1.5);
  tabs = await Tabs.around(gguf);
  expected = (await say(tabs.open(), question('Hello'))).text;
  await tabs.close();
  expect(new Set(expected).size).toBeGreaterThan(3);
});

describe('a model that several tabs hold', () => {
  let first: Tab;
  let second: Tab;
  let client: Tab;

  beforeAll(async () => {
    tabs = await Tabs.around(gguf);
    first = await host(0, 5);
    second = await host(4, 8);
    client = tabs.open();
  });
  afterAll(() => tabs.close());

  it('says the same as one tab alone, and how it came about', async () => {
    const answer = await say(client, overNetwork('Hello'));
    expect(answer.text).toBe(expected);
    expect(answer).toMatchObject({ route: 'network', reason: null, recoveries: 0, privacy: 'private' });
    expect(answer.hops.map(({ peer }) => peer)).toEqual([first.peer, second.peer]);
    expect(answer.hops[0]).toMatchObject({ start: 2, path: 'direct', backend: 'node-cpu' });
    expect(answer.hops[1]!.end).toBe(LAYERS);
    expect(answer.timings.compute_ms).toBeGreaterThan(0);
    expect(answer.timings.compute_ms_per_token).toBeGreaterThan(0);
  });

  it('costs the asking tab its own part of the model, not all of it', () => {
    // Two layers of eight, the embedding that is the head as well, and the file's header.
    expect(client.fetched.bytes).toBeLessThan(0.6 * gguf.length);
    expect(client.shoal.status.get().phase).toBe('idle');
  });

  it('keeps the caches for the next turn', async () => {
    const messages = [
      { role: 'user' as const, content: 'Hello' },
      { role: 'assistant' as const, content: expected },
      { role: 'user' as const, content: 'And then?' },
    ];
    const next = { ...overNetwork(''), messages };
    const again = await say(client, next);
    expect(again.usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(10);
    const alone = await say(first, { ...next, route: 'local' });
    expect(again.text).toBe(alone.text);
  });

  it('in light mode the tab fetches the tokenizer only, and a seed gives the same text everywhere', async () => {
    const light = tabs.open();
    const sampled = { temperature: 0.9, seed: 11 };
    const answer = await say(light, overNetwork('Hello', { ...sampled, privacy: 'light' }));
    expect(answer.privacy).toBe('light');
    expect(light.fetched.bytes).toBeLessThan(0.2 * gguf.length);
    expect(answer.hops[0]!.start).toBe(0);
    expect((await say(client, overNetwork('Hello', sampled))).text).toBe(answer.text);
    expect((await say(first, question('Hello', { ...sampled, route: 'local' }))).text).toBe(answer.text);
  });

  it('halves what goes over the wire when asked to', async () => {
    const bytes = async (wire: 'fp32' | 'fp16') => {
      const tab = tabs.open({ wire });
      await say(tab, overNetwork('Hello'));
      const { links } = await tab.shoal.network();
      await tab.shoal.dispose();
      return links.reduce((sum, { bytesOut }) => sum + bytesOut, 0);
    };
    expect(await bytes('fp16')).toBeLessThan(0.8 * (await bytes('fp32')));
  });

  it('answers several at once, each with its own text', async () => {
    const words = ['One', 'Two', 'Three', 'Four', 'Five', 'Six'];
    const alone: string[] = [];
    for (const word of words) alone.push((await say(first, question(word, { route: 'local' }))).text);
    const together = await Promise.all(words.map((word) => say(client, overNetwork(word))));
    expect(together.map(({ text }) => text)).toEqual(alone);
  });

  it('a reader who leaves ends the work, and the next question is answered', async () => {
    const stream = await client.shoal.chat.completions.create({ ...overNetwork('Hello'), stream: true });
    let read = 0;
    for await (const _ of stream) if (++read === 4) break;
    expect((await say(client, overNetwork('Hello'))).text).toBe(expected);
    const control = new AbortController();
    const stopped = client.shoal.chat.completions.create({
      ...overNetwork('Hello', { max_tokens: 200 }),
      signal: control.signal,
    });
    control.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    expect((await say(client, overNetwork('Hello'))).text).toBe(expected);
  });

  it('the network shows who holds what, who is linked, and what was served', async () => {
    const seen = await client.shoal.network();
    expect(seen).toMatchObject({ state: 'online', relay: 'connected', error: null });
    expect(seen.self).toMatchObject({ peer: client.peer, sharing: null });
    const { layers, missing } = seen.coverage[0]!;
    expect(layers.map(({ holders }) => holders.length)).toEqual([1, 1, 1, 1, 2, 1, 1, 1]);
    expect(missing).toEqual([]);
    expect(seen.links.map(({ peer }) => peer)).toEqual(expect.arrayContaining([first.peer, second.peer]));
    expect(seen.linksOfOthers).toContainEqual({
      from: first.peer,
      to: second.peer,
      path: 'direct',
      roundTripMs: 0.1,
    });
    const ends = seen.linksOfOthers.map(({ from, to }) => [from, to].sort().join(' '));
    expect(new Set(ends).size).toBe(ends.length);
    expect(ends.join(' ').split(' ')).not.toContain(client.peer);
    const own = await first.shoal.network();
    expect(own.peers[0]).toMatchObject({ peer: first.peer, self: true });
    expect(own.self!.sharing).toMatchObject({ state: 'sharing', start: 0, end: 5, model: 'Tiny shoal' });
    expect(own.self!.sharing!.servedTokens).toBeGreaterThan(TOKENS);
    expect(own.sessionsServed).toBeGreaterThan(2);
  });
});

describe('losing and leaving', () => {
  beforeAll(async () => {
    tabs = await Tabs.around(gguf);
  });
  afterEach(async () => {
    await tabs.close();
    tabs = await Tabs.around(gguf);
  });

  it('a hop that dies in mid-answer changes nothing but the count of recoveries', async () => {
    await host(0, 5);
    const hosts = [await host(5, 8), await host(5, 8)];
    const client = tabs.open();
    const stream = await client.shoal.chat.completions.create({ ...overNetwork('Hello'), stream: true });
    let text = '';
    let last = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]!.delta.content ?? '';
      last = chunk.shoal;
      if (last.token_ids.length === 5 && last.recoveries === 0) {
        hosts.find(({ peer }) => peer === last!.hops[1]!.peer)!.kill();
      }
    }
    expect(text).toBe(expected);
    expect(last!.recoveries).toBe(1);
  });

  it('layers whose only host dies are run by the asking tab itself, which lends them to nobody', async () => {
    await host(0, 5);
    const dying = await host(5, 8);
    const client = tabs.open();
    const stream = await client.shoal.chat.completions.create({ ...overNetwork('Hello'), stream: true });
    let text = '';
    let last = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]!.delta.content ?? '';
      last = chunk.shoal;
      if (last.token_ids.length === 5) dying.kill();
    }
    expect(text).toBe(expected);
    expect(last!.recoveries).toBe(1);
    expect(last!.hops[1]).toMatchObject({ peer: client.peer, path: 'local', start: 5, end: 8 });
    const other = tabs.open();
    expect((await other.shoal.network()).coverage[0]!.missing).toEqual([{ start: 5, end: 8 }]);
    await expect(say(other, overNetwork('Hello'))).rejects.toMatchObject({ code: 'no-peers' });
  });

  it('layers that nobody holds are named, with what would help', async () => {
    const asking = tabs.open();
    await host(0, 4);
    await host(6, 8);
    const refused = say(asking, overNetwork('Hello'));
    await expect(refused).rejects.toMatchObject({ code: 'no-peers', next: 'share' });
    await expect(refused).rejects.toThrow(/layers 4 to /);
    expect((await asking.shoal.network()).coverage[0]!.missing).toEqual([{ start: 4, end: 6 }]);
  });

  it('unshare takes nobody new and leaves nothing behind', async () => {
    const one = await host(0, 8);
    const client = tabs.open();
    expect((await say(client, overNetwork('Hello'))).text).toBe(expected);
    await one.shoal.unshare({ force: true });
    expect(one.shoal.membership.get().sharing).toBe(null);
    await expect(say(tabs.open(), overNetwork('Hello'))).rejects.toMatchObject({ code: 'no-peers' });
    await one.shoal.share({ layers: [2, 8] });
    expect((await say(client, overNetwork('Hello'))).text).toBe(expected);
  });

  it('by default the layers are shared that the network holds least of', async () => {
    await host(0, 6);
    const tab = tabs.open();
    // The smallest share takes the whole of so small a model; its cells are counted at their bytes.
    const shared = await tab.shoal.share();
    expect(shared).toMatchObject({ state: 'sharing', start: 0, end: 8 });
    await expect(tab.shoal.share()).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('absurd layers and memory are refused by name, and nothing is shared', async () => {
    const { shoal } = tabs.open();
    for (const layers of [
      [3, 3],
      [-1, 2],
      [0, 9],
      [0.5, 2],
    ] as const) {
      await expect(shoal.share({ layers })).rejects.toMatchObject({ code: 'bad-request', param: 'layers' });
    }
    await expect(shoal.share({ memory: Number.NaN })).rejects.toMatchObject({ param: 'memory' });
    await expect(shoal.share({ model: 'nothing' })).rejects.toMatchObject({ code: 'no-model' });
    expect(tabs.network.find('nobody')).toBeUndefined();
  });

  it('a share that is stopped while it prepares leaves nothing behind', async () => {
    const { shoal } = tabs.open();
    const sharing = shoal.share({ layers: [0, 8], onProgress: () => void shoal.unshare() });
    await expect(sharing).rejects.toMatchObject({ code: 'aborted' });
    expect(shoal.membership.get().sharing).toBe(null);
    await shoal.share({ layers: [0, 8] });
    expect(shoal.membership.get().sharing!.state).toBe('sharing');
  });

  it('a GPU that is lost while it hosts ends the share in words, and clients go to others', async () => {
    let lose = false;
    const losing = (engine: Engine): Engine =>
      altered(engine, {
        forward: async (session, input, options) => {
          if (lose) throw new EngineError('lost', 'the device is gone');
          return engine.forward(session, input, options);
        },
      });
    const broken = tabs.open(
      {},
      { loadEngine: async (options) => losing(await loadSlice(nodePlatform, options)) },
    );
    await broken.shoal.share({ layers: [2, 8] });
    lose = true;
    const failed = new Promise<string>((resolve) => {
      broken.shoal.membership.subscribe(({ sharing }) => {
        if (sharing?.state === 'failed') resolve(sharing.error!.message);
      });
    });
    const client = tabs.open();
    const control = new AbortController();
    const asked = say(client, overNetwork('Hello', { signal: control.signal }));
    expect(await failed).toContain('The GPU was lost');
    control.abort();
    await expect(asked).rejects.toMatchObject({ code: 'aborted' });
    await host(0, 8);
    expect((await say(client, overNetwork('Hello'))).text).toBe(expected);
  });

  it('a tab that cannot run the model answers over the network and says why', async () => {
    const whole = tabs.open(
      {},
      {
        loadEngine: async (options) => {
          const { embed, head } = options.slice;
          if (embed && head) throw new EngineError('out-of-memory', 'The model needs more memory.');
          return loadSlice(nodePlatform, options);
        },
      },
    );
    // Nobody there yet: both reasons are told.
    await expect(say(whole, question('Hello'))).rejects.toMatchObject({ code: 'no-engine' });
    await host(0, 8);
    const answer = await say(whole, question('Hello'));
    expect(answer.text).toBe(expected);
    expect(answer.route).toBe('network');
    expect(answer.reason).toContain('needs more memory');
    await expect(say(whole, question('Hello', { route: 'local' }))).rejects.toMatchObject({
      code: 'no-engine',
    });
  });

  it('with network: false nothing is joined, and it says so', async () => {
    const { shoal } = tabs.open({ network: false });
    await expect(shoal.network()).rejects.toMatchObject({ code: 'not-available' });
    await expect(shoal.share()).rejects.toMatchObject({ code: 'not-available' });
    await expect(
      shoal.chat.completions.create({ ...overNetwork('Hello'), stream: false }),
    ).rejects.toMatchObject({ code: 'not-available' });
    expect(shoal.membership.get().state).toBe('off');
  });

  it('who watches the network sees it change, and a disposed tab is gone from it', async () => {
    const watcher = tabs.open();
    const one = await host(0, 8);
    const holders = (count: number) =>
      new Promise<void>((resolve) => {
        const off = watcher.shoal.networkStatus.subscribe(({ coverage }) => {
          if (coverage[0]?.layers[3]?.holders.length !== count) return;
          queueMicrotask(() => off());
          resolve();
        });
      });
    await holders(1);
    await one.shoal.dispose();
    await holders(0);
  });
});
