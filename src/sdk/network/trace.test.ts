import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, EngineError } from '../../engine/index.ts';
import { loadSlice, nodePlatform } from '../../engine/node.ts';
import { altered } from '../../engine/testing/altered.ts';
import { type Tab, Tabs } from '../testing/tabs.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import type { CompletionParameters, Message, TraceEntry } from '../types.ts';

const LAYERS = 8;
const TOKENS = 24;
const ROUTES = ['local', 'network'] as const;
const HELLO: Message[] = [{ role: 'user', content: 'Hello' }];

let tabs: Tabs;
let hosts: Tab[];
let client: Tab;

beforeAll(async () => {
  tabs = await Tabs.around(tinyModel(LAYERS, 1.5));
  hosts = [tabs.open(), tabs.open(), tabs.open()];
  await hosts[0]!.shoal.share({ layers: [0, 5] });
  for (const host of hosts.slice(1)) await host.shoal.share({ layers: [5, 8] });
  client = tabs.open();
});
afterAll(() => tabs.close());

const settings = (more: Partial<CompletionParameters> = {}) => ({
  messages: HELLO,
  temperature: 0,
  max_tokens: TOKENS,
  ...more,
});
const kinds = (trace: readonly TraceEntry[]) => trace.map(({ kind }) => kind);
async function whole(tab: Tab, more: Partial<CompletionParameters>) {
  const { choices, shoal, usage } = await tab.shoal.chat.completions.create({
    ...settings(more),
    stream: false,
  });
  return { text: choices[0]!.message.content, ...shoal, usage };
}

describe('the trace of an answer', () => {
  it.each(ROUTES)(
    '%s: tells the opening, the prefill and each step, and where their time went',
    async (route) => {
      const { trace, hops, usage, timings } = await whole(client, { route });
      expect(kinds(trace)).toEqual(['opened', 'prefill', ...Array(TOKENS - 1).fill('token')]);
      const prefill = trace[1]!;
      const steps = trace.flatMap((entry) =>
        entry.kind === 'prefill' || entry.kind === 'token' ? [entry] : [],
      );
      expect(prefill).toMatchObject({ positions: usage.prompt_tokens });
      let own = 0;
      for (const { ms, own_ms, hops_ms, wire_ms, positions, kind } of steps) {
        expect(hops_ms).toHaveLength(hops.length);
        expect(own_ms).toBeGreaterThan(0);
        expect(wire_ms > 0).toBe(route === 'network');
        if (kind === 'token') expect(positions).toBe(1);
        expect(own_ms + hops_ms.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(ms + 1);
        own += own_ms + hops_ms.reduce((sum, one) => sum + one, 0);
      }
      expect(own).toBeCloseTo(timings.compute_ms, 6);
      const begins = trace.map(({ at_ms }) => at_ms);
      expect(begins).toEqual([...begins].sort((a, b) => a - b));
      expect(begins[0]).toBe(0);
    },
  );

  it('comes in parts with the chunks of a stream, each part once', async () => {
    const parts: TraceEntry[][] = [];
    const stream = await client.shoal.chat.completions.create({
      ...settings({ route: 'network' }),
      stream: true,
    });
    for await (const chunk of stream) parts.push(chunk.shoal.trace);
    expect(kinds(parts.flat())).toEqual(['opened', 'prefill', ...Array(TOKENS - 1).fill('token')]);
    expect(parts.filter((part) => part.length > 0).length).toBeGreaterThan(3);
  });

  it('tells of a hop that was lost and of those that went on', async () => {
    const entries: TraceEntry[] = [];
    let killed = '';
    const stream = await client.shoal.chat.completions.create({
      ...settings({ route: 'network' }),
      stream: true,
    });
    for await (const { shoal } of stream) {
      entries.push(...shoal.trace);
      if (shoal.token_ids.length < 5 || killed) continue;
      killed = shoal.hops[1]!.peer;
      hosts.find(({ peer }) => peer === killed)!.kill();
    }
    const lost = entries.find(({ kind }) => kind === 'lost');
    const recovered = entries.find(({ kind }) => kind === 'recovered');
    expect(lost).toMatchObject({ peer: killed, start: 5, end: 8 });
    const other = hosts.slice(1).find(({ peer }) => peer !== killed)!.peer;
    expect(recovered).toMatchObject({ peers: [hosts[0]!.peer, other] });
    expect(recovered?.kind === 'recovered' && recovered.replayed).toBeGreaterThan(5);
    expect(entries.indexOf(recovered!)).toBeGreaterThan(entries.indexOf(lost!));
  });

  it('tells of the own GPU that was lost', async () => {
    let left = 6;
    const losing = (engine: Engine): Engine =>
      altered(engine, {
        info: { ...engine.info, backend: 'jspi' },
        forward: async (session, input, options) => {
          if (--left === 0) throw new EngineError('lost', 'the device is gone');
          return engine.forward(session, input, options);
        },
      });
    const tab = tabs.open(
      {},
      {
        loadEngine: async ({ backends: _, ...options }) => losing(await loadSlice(nodePlatform, options)),
      },
    );
    const { trace, recoveries } = await whole(tab, { route: 'local' });
    expect(recoveries).toBe(1);
    expect(kinds(trace).filter((kind) => kind !== 'token')).toEqual([
      'opened',
      'prefill',
      'lost',
      'recovered',
    ]);
    expect(trace.find(({ kind }) => kind === 'lost')).toMatchObject({
      peer: null,
      start: 0,
      end: LAYERS,
      reason: expect.stringContaining('the device is gone'),
    });
  });
});

describe('an answer that is continued', () => {
  const PROMPTS = ['One', 'Two', 'Three', 'Four', 'Five'];

  it.each(ROUTES)('%s: is the one that was never stopped, and computes nothing twice', async (route) => {
    for (const content of PROMPTS) {
      const asked: Message[] = [{ role: 'user', content }];
      const all = await whole(client, { route, messages: asked });
      const begun = await whole(client, { route, messages: asked, max_tokens: 9 });
      const rest = await whole(client, {
        route,
        messages: [...asked, { role: 'assistant', content: begun.text }],
        max_tokens: TOKENS - 9,
        continue_final_message: true,
      });
      expect(begun.token_ids.concat(rest.token_ids)).toEqual(all.token_ids);
      // The text as well, but for a character that the pause cut in two.
      expect(all.text.startsWith(begun.text)).toBe(true);
      expect(rest.usage.prompt_tokens).toBe(begun.usage.prompt_tokens + 9);
      expect(rest.usage.prompt_tokens - rest.usage.prompt_tokens_details.cached_tokens).toBe(1);
    }
  });

  it('can go on by the other route, and in light mode', async () => {
    const begun = await whole(client, { route: 'local', max_tokens: 9 });
    const more = {
      messages: [...HELLO, { role: 'assistant' as const, content: begun.text }],
      continue_final_message: true,
    };
    const local = await whole(tabs.open(), { ...more, route: 'local' });
    expect(await whole(client, { ...more, route: 'network' })).toMatchObject({ text: local.text });
    const light = await whole(client, { ...more, route: 'network', privacy: 'light' });
    expect(light.text).toBe(local.text);
  });

  it('is refused by name where there is nothing to continue', async () => {
    for (const messages of [HELLO, [...HELLO, { role: 'assistant' as const, content: '' }]])
      await expect(whole(client, { messages, continue_final_message: true })).rejects.toMatchObject({
        code: 'bad-request',
        param: 'continue_final_message',
      });
  });
});
