import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ByteSource, MemoryStore } from '../../model/index.ts';
import { type Tab, Tabs } from '../testing/tabs.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import type { CompletionParameters } from '../types.ts';

const LAYERS = 8;
const HELLO: CompletionParameters = {
  messages: [{ role: 'user', content: 'Hello' }],
  temperature: 0,
  max_tokens: 20,
  while_loading: 'network',
};

let gguf: Uint8Array;
let expected: string;
let tabs: Tabs;

beforeAll(async () => {
  gguf = tinyModel(LAYERS, 1.5);
  tabs = await Tabs.around(gguf);
  expected = (await tabs.open().shoal.chat.completions.create({ ...HELLO, stream: false })).choices[0]!
    .message.content;
  await tabs.close();
});
beforeEach(async () => {
  tabs = await Tabs.around(gguf);
});
afterEach(() => tabs.close());

async function host(): Promise<void> {
  await tabs.open().shoal.share({ layers: [0, LAYERS] });
}

/** Asks, and tells what had been fetched when the first token came. */
async function ask({ shoal, fetched }: Tab, more: Partial<CompletionParameters> = {}) {
  const stream = await shoal.chat.completions.create({ ...HELLO, ...more, stream: true });
  let text = '';
  let atFirst: number | null = null;
  let last = null;
  for await (const chunk of stream) {
    text += chunk.choices[0]!.delta.content ?? '';
    last = chunk.shoal;
    if (last.token_ids.length > 0) atFirst ??= fetched.bytes;
  }
  return { text, atFirst: atFirst ?? 0, route: last!.route, reason: last!.reason };
}

describe('an answer while the own weights are on their way', () => {
  it('comes over the network; the download stands back, goes on by itself, and fetches nothing twice', async () => {
    await host();
    const tab = tabs.open();
    const loaded = tab.shoal.load();
    const answer = await ask(tab);
    expect(answer).toMatchObject({ text: expected, route: 'network' });
    expect(answer.reason).toContain('still fetching');
    // Two layers of eight, and the embedding, which is the head as well.
    expect(answer.atFirst).toBeLessThan(0.6 * gguf.length);
    await loaded;
    expect(tab.fetched.bytes).toBeGreaterThan(0.9 * gguf.length);
    expect(tab.fetched.bytes).toBeLessThanOrEqual(gguf.length);
    // And the next question is answered here.
    expect(await ask(tab)).toMatchObject({ text: expected, route: 'local', reason: null });
  });

  it('in light mode only the tokenizer comes before', async () => {
    await host();
    const tab = tabs.open();
    const loaded = tab.shoal.load();
    const answer = await ask(tab, { privacy: 'light' });
    expect(answer).toMatchObject({ text: expected, route: 'network' });
    expect(answer.atFirst).toBeLessThan(0.2 * gguf.length);
    await loaded;
    expect(tab.fetched.bytes).toBeLessThanOrEqual(gguf.length);
  });

  it('begins the download when nothing did', async () => {
    await host();
    const tab = tabs.open();
    expect(await ask(tab)).toMatchObject({ text: expected, route: 'network' });
    await tab.shoal.ready;
    expect(tab.shoal.status.get().phase).toBe('ready');
  });

  it('comes from here when nobody can give it', async () => {
    const tab = tabs.open();
    expect(await ask(tab)).toMatchObject({ text: expected, route: 'local' });
  });

  it('that is stopped leaves the download to go on', async () => {
    await host();
    const tab = tabs.open();
    const loaded = tab.shoal.load();
    const control = new AbortController();
    const asked = ask(tab, { signal: control.signal });
    control.abort();
    await expect(asked).rejects.toMatchObject({ code: 'aborted' });
    await loaded;
  });

  it('is not given over the network when only the engine has to start', async () => {
    await host();
    const store = new MemoryStore();
    const kept = async () => ({
      store,
      kind: 'memory' as const,
      location: { kind: 'memory' as const, tensors: store.tensors },
      notice: null,
    });
    const before = tabs.open({}, { openStore: kept });
    await before.shoal.load();
    await before.shoal.dispose();
    const tab = tabs.open({}, { openStore: kept });
    expect((await tab.shoal.models())[0]!.cached).toBe(true);
    expect(await ask(tab)).toMatchObject({ text: expected, route: 'local' });
    expect(tab.fetched.bytes).toBe(0);
  });

  it('waits where that was asked for, or nobody may be asked', async () => {
    await host();
    expect(await ask(tabs.open(), { while_loading: 'wait' })).toMatchObject({ route: 'local' });
    expect(await ask(tabs.open({ network: false }))).toMatchObject({ route: 'local' });
  });
});

describe('a whole model', () => {
  it('is fetched in the order in which its parts are of use', async () => {
    const reads: { offset: number; length: number }[] = [];
    const source: ByteSource = {
      name: 'tiny.gguf',
      size: gguf.length,
      read: async (offset, length) => {
        reads.push({ offset, length });
        return gguf.slice(offset, offset + length);
      },
    };
    const tab = tabs.open({}, { openUrl: async () => source });
    await tab.shoal.load();
    const { manifest } = tabs;
    const at = (name: string) => {
      const { offset } = manifest.tensors.find((tensor) => tensor.name === name)!;
      return reads.findIndex((read) => read.offset <= offset && offset < read.offset + read.length);
    };
    // The header with the tokenizer, then the embedding (here also the head) and two layers, then the others.
    expect(reads[0]!.offset).toBe(0);
    const own = [
      at('token_embd.weight'),
      at('blk.0.ffn_up.weight'),
      at('blk.1.ffn_up.weight'),
      at('output_norm.weight'),
    ];
    const rest = [2, 5, 7].map((layer) => at(`blk.${layer}.ffn_up.weight`));
    expect(Math.min(...own)).toBeGreaterThan(0);
    expect(Math.min(...rest)).toBeGreaterThan(Math.max(...own));
  });
});
