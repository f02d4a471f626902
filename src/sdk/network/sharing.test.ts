import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Tab, Tabs } from '../testing/tabs.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import type { CompletionParameters, SharePower, Shoal } from '../types.ts';

const LAYERS = 8;

let gguf: Uint8Array;
let expected: string;
let tabs: Tabs;

const question = (more: Partial<CompletionParameters> = {}) => ({
  messages: [{ role: 'user' as const, content: 'Hello' }],
  temperature: 0,
  max_tokens: 20,
  route: 'network' as const,
  ...more,
});

async function say({ shoal }: Tab, more: Partial<CompletionParameters> = {}) {
  const answer = await shoal.chat.completions.create({ ...question(more), stream: false });
  return { text: answer.choices[0]!.message.content, ...answer.shoal };
}

const sharing = ({ membership }: Shoal) => membership.get().sharing!;

/** Resolves when the relay's directory has, or no longer has, layer 4 of that peer. */
async function found(asker: Tab, peer: string): Promise<boolean> {
  const { coverage } = await asker.shoal.network();
  return coverage[0]!.layers[4]!.holders.includes(peer);
}

beforeAll(async () => {
  gguf = tinyModel(LAYERS, 1.5);
  tabs = await Tabs.around(gguf);
  expected = (await say(tabs.open(), { route: 'local' })).text;
  await tabs.close();
});
beforeEach(async () => {
  tabs = await Tabs.around(gguf);
});
afterEach(() => tabs.close());

describe('the power of a share', () => {
  it.each(['light', 'medium', 'full'] as SharePower[])('%s: the text is the same', async (power) => {
    const host = tabs.open();
    const shared = await host.shoal.share({ layers: [0, LAYERS], power });
    expect(shared).toMatchObject({ state: 'sharing', power });
    expect((await say(tabs.open())).text).toBe(expected);
    await host.shoal.network();
    expect(sharing(host.shoal).counters.servedMs).toBeGreaterThan(0);
  });

  it('changes while an answer is given, which is the same', async () => {
    const host = tabs.open();
    await host.shoal.share({ layers: [0, LAYERS] });
    const stream = await tabs.open().shoal.chat.completions.create({ ...question(), stream: true });
    let text = '';
    let count = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]!.delta.content ?? '';
      host.shoal.limitSharing({ power: (['light', 'full', 'medium'] as const)[count++ % 3] });
    }
    expect(text).toBe(expected);
    host.shoal.limitSharing({ power: 'light' });
    expect(sharing(host.shoal).power).toBe('light');
  });

  it('and its memory are refused by name when they are absurd, and nothing changes', async () => {
    const { shoal } = tabs.open();
    const power = 'toString' as SharePower;
    await expect(shoal.share({ power })).rejects.toMatchObject({ code: 'bad-request', param: 'power' });
    await shoal.share({ layers: [0, LAYERS], power: 'medium' });
    expect(() => shoal.limitSharing({ power })).toThrow('power is one of light, medium, full');
    expect(() => shoal.limitSharing({ memory: 12 })).toThrow('memory is in bytes');
    expect(sharing(shoal)).toMatchObject({ state: 'sharing', power: 'medium' });
  });
});

it('tells the memory that weights and caches take', async () => {
  const host = tabs.open();
  await host.shoal.share({ layers: [0, LAYERS] });
  const held = sharing(host.shoal).memoryBytes;
  expect(held).toBeGreaterThan(0);
  await say(tabs.open());
  expect(sharing(host.shoal).memoryBytes).toBeGreaterThan(held);
});

describe('a pause', () => {
  it('sends newcomers elsewhere, finishes what runs, and ends by a resume', async () => {
    const [pausing, other] = [tabs.open(), tabs.open()];
    await pausing.shoal.share({ layers: [0, LAYERS] });
    const client = tabs.open();
    const stream = await client.shoal.chat.completions.create({ ...question(), stream: true });
    let text = '';
    let last = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]!.delta.content ?? '';
      last = chunk.shoal;
      if (last.token_ids.length === 3) await pausing.shoal.pauseSharing();
    }
    expect(text).toBe(expected);
    expect(last).toMatchObject({ recoveries: 0 });
    expect(last!.hops.map(({ peer }) => peer)).toEqual([pausing.peer]);
    expect(sharing(pausing.shoal).state).toBe('paused');

    const newcomer = tabs.open();
    await expect(say(newcomer)).rejects.toMatchObject({ code: 'no-peers' });
    expect(await found(newcomer, pausing.peer)).toBe(false);
    await other.shoal.share({ layers: [0, LAYERS] });
    const answer = await say(newcomer);
    expect(answer.text).toBe(expected);
    expect(answer.hops.map(({ peer }) => peer)).toEqual([other.peer]);

    await other.shoal.unshare({ force: true });
    await pausing.shoal.resumeSharing();
    expect(sharing(pausing.shoal).state).toBe('sharing');
    const again = await say(tabs.open());
    expect(again.text).toBe(expected);
    expect(again.hops.map(({ peer }) => peer)).toEqual([pausing.peer]);
  });

  it('asked for while it prepares begins when it is ready, and nothing needs to be shared for it', async () => {
    const { shoal } = tabs.open();
    await shoal.pauseSharing();
    await shoal.resumeSharing();
    expect(shoal.membership.get().sharing).toBe(null);
    let asked = false;
    const shared = await shoal.share({
      layers: [0, LAYERS],
      onProgress: () => {
        if (!asked) void shoal.pauseSharing();
        asked = true;
      },
    });
    expect(shared.state).toBe('paused');
    await shoal.unshare();
    expect(shoal.membership.get().sharing).toBe(null);
  });
});

it('what is counted as served is what others had, not the own chains', async () => {
  const host = tabs.open();
  await host.shoal.share({ layers: [0, LAYERS] });
  const own = await say(host);
  expect(own.text).toBe(expected);
  await host.shoal.network();
  expect(sharing(host.shoal)).toMatchObject({ sessions: 0, servedTokens: 0, servedPositions: 0 });
  expect(sharing(host.shoal).counters).toMatchObject({ peersHelped: 0, servedBytesOut: 0 });
  await say(tabs.open());
  await host.shoal.network();
  const { counters, servedTokens } = sharing(host.shoal);
  expect(counters).toMatchObject({ peersHelped: 1, sessionsServed: 1 });
  expect(servedTokens).toBe(19);
  expect(counters.servedBytesIn).toBeGreaterThan(0);
  expect(counters.servedBytesOut).toBeGreaterThan(0);
});
