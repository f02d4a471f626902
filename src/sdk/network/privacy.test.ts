import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/index.ts';
import { loadSlice, nodePlatform } from '../../engine/node.ts';
import { altered } from '../../engine/testing/altered.ts';
import {
  decodeMessage,
  decodeTokens,
  encodeHidden,
  type ForwardHidden,
  type SessionInit,
} from '../../wire/index.ts';
import type { Platform } from '../index.ts';
import { ask, lender } from '../testing/ask.ts';
import { Calendar } from '../testing/calendar.ts';
import { unnamed } from '../testing/named-fields.ts';
import { readable } from '../testing/readable.ts';
import { Recorder, type Sent } from '../testing/recorder.ts';
import { type Tab, Tabs } from '../testing/tabs.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import type { Message } from '../types.ts';

/** The numbers in names of tests are those of the statements in docs/privacy.md. */
const LAYERS = 8;
/** The vocabulary of the model: unknown, begin, end, and then the bytes. */
const FIRST_BYTE = 3;
const SPACE = '\u2581';
const SYSTEM = 'Whisper always';
const SECRET = 'My passport expired in Bolivia';
const SECOND = 'Forget everything about Norway';

let gguf: Uint8Array;
let tabs: Tabs;
let recorder: Recorder;

const said = (content: string): Message[] => [
  { role: 'system', content: SYSTEM },
  { role: 'user', content },
];
/** Of a text in the middle of another; a space is a sign of its own in this vocabulary. */
const ids = (text: string) =>
  [...new TextEncoder().encode(text.replaceAll(' ', SPACE))].map((byte) => byte + FIRST_BYTE);
const hidden = (sent: Sent) => decodeMessage(sent.body) as ForwardHidden;
const init = (sent: Sent) => decodeMessage(sent.body) as SessionInit;

beforeAll(() => {
  gguf = tinyModel(LAYERS, 1.5);
});

async function begin(): Promise<void> {
  tabs = await Tabs.around(gguf);
  recorder = new Recorder(tabs);
}

describe('an answer in this tab', () => {
  beforeEach(begin);
  afterEach(() => tabs.close());

  it.each([false, true])('sends nothing, whatever is asked; sharing: %s (11)', async (shares) => {
    await lender(tabs, 0, LAYERS);
    const tab = tabs.open();
    if (shares) await tab.shoal.share({ layers: [2, 6] });
    // It is linked, and looks at the network, and has the whole model.
    await tab.shoal.network();
    await tab.shoal.load();
    recorder.clear();
    const first = await ask(tab, said('Hi'), { route: 'local' });
    const conversation: Message[] = [...said('Hi'), { role: 'assistant', content: first.text }];
    await ask(tab, [...conversation, { role: 'user', content: SECRET }], { route: 'auto' });
    await ask(tab, said(SECOND), { max_tokens: 40, route: 'local', temperature: 1, seed: 4 });
    expect(recorder.sent).toEqual([]);
    expect(recorder.asked).toEqual([]);
    // The recorder can see: over the network there is something.
    await ask(tab, said(SECRET));
    expect(recorder.of(tab.peer, 'forward_hidden').length).toBeGreaterThan(0);
  });
});

it('a look at the network asks for holders of the models of the list, and greets (13, 31)', async () => {
  await begin();
  const others = [await lender(tabs, 0, 4), await lender(tabs, 4, LAYERS)];
  const tab = tabs.open();
  recorder.clear();
  await tab.shoal.network();
  expect(recorder.asked.map(({ peer, call, given }) => [peer, call, given[0]])).toEqual([
    [tab.peer, 'holders', { cid: tabs.cid, layers: LAYERS }],
  ]);
  const sent = recorder.sent.filter(({ from }) => from === tab.peer);
  expect(sent.map(({ to, fields }) => [to, fields.kind])).toEqual(others.map(({ peer }) => [peer, 'hello']));
  expect(unnamed(recorder.sent, 'private')).toEqual([]);
  await tabs.close();
});

describe('a private conversation over the network', () => {
  let client: Tab;
  let chain: Tab[];
  let clock: Calendar;
  let turns: Awaited<ReturnType<typeof ask>>[];
  /** What the first layers put out, in order. */
  const front: Float32Array[] = [];

  beforeAll(async () => {
    await begin();
    clock = new Calendar();
    tabs.clock = clock;
    chain = [await lender(tabs, 0, 4), await lender(tabs, 4, 6), await lender(tabs, 6, LAYERS)];
    recorder.clear();
    client = tabs.open({}, { loadEngine: (options) => listened(options, front) });
    const first = await ask(client, said(SECRET));
    const next: Message[] = [
      ...said(SECRET),
      { role: 'assistant', content: first.text },
      { role: 'user', content: SECOND },
    ];
    turns = [first, await ask(client, next)];
  });
  afterAll(() => tabs.close());

  it('no text and no token id leaves the tab (14)', () => {
    const all = recorder.bytes(client.peer);
    const text = [SYSTEM, SECRET, SECOND, ...turns.map((turn) => turn.text)].join(' ');
    expect(readable(all, text, ids(SECRET))).toEqual([]);
    for (const { token_ids } of turns) expect(readable(all, '', token_ids)).toEqual([]);
    expect(recorder.sent.filter(({ fields }) => fields.kind === 'token' || 'sampling' in fields)).toEqual([]);
  });

  it('what leaves is the output of the second layer, a row per token, in fp32, to the first peer (15)', () => {
    const frames = recorder.of(client.peer, 'forward_hidden');
    expect(new Set(frames.map(({ to }) => to))).toEqual(new Set([chain[0]!.peer]));
    const rows = frames.map(hidden);
    expect(new Set(rows.map(({ dtype }) => dtype))).toEqual(new Set(['fp32']));
    const width = rows[0]!.shape[2];
    const sent = Buffer.concat(rows.map(({ payload }) => payload));
    expect(sent.equals(Buffer.concat(front.map((row) => encodeHidden(row, width, 'fp32'))))).toBe(true);
    // The last token of an answer goes only when somebody asks on.
    const [one, two] = turns.map(({ usage }) => usage);
    const cached = two!.prompt_tokens_details.cached_tokens;
    const asked = one!.prompt_tokens + two!.prompt_tokens - cached;
    const answered = one!.completion_tokens + two!.completion_tokens - 2;
    expect(sent.length).toBe((asked + answered) * width * 4);
  });

  it('every field of every message is one that the document names, and none is of light mode (6, 16, 17, 27)', () => {
    expect(unnamed(recorder.sent, 'private')).toEqual([]);
    expect(new Set(recorder.sent.map(({ fields }) => fields.kind)).size).toBeGreaterThan(4);
  });

  it('the tab opens the session at each peer, which learns its neighbours and no more of the chain (17)', () => {
    const inits = recorder.of(client.peer, 'session_init');
    expect(inits.map(({ to }) => to)).toEqual(chain.map(({ peer }) => peer));
    const hops = [client, ...chain, client].map(({ peer }) => peer);
    inits.map(init).forEach((message, i) => {
      const { start, end } = turns[0]!.hops[i]!;
      expect(message).toMatchObject({
        model_cid: tabs.cid,
        layer_range: { start, end },
        prev: { peer: hops[i], addrs: i === 0 ? [`/memory/${client.peer}`] : [] },
        next: { peer: hops[i + 2], addrs: i === 2 ? [`/memory/${client.peer}`] : [] },
        client_x25519_pub: new Uint8Array(32),
        embed: false,
        head: false,
      });
    });
  });

  it('the relay is asked for holders of layers of the model, and those are greeted (18)', () => {
    const asked = recorder.asked.filter(({ peer }) => peer === client.peer);
    expect(asked.map(({ call }) => call)).toEqual(asked.map(() => 'holders'));
    for (const { given } of asked) {
      // The keys that are asked for are made of these and of nothing else: src/swarm/keys.ts.
      expect(given[0]).toEqual({ cid: tabs.cid, layers: LAYERS });
      expect(given[1]).toMatchObject({ start: 2, end: LAYERS });
    }
    const greeted = new Set(recorder.of(client.peer, 'hello').map(({ to }) => to));
    expect(greeted).toEqual(new Set(chain.map(({ peer }) => peer)));
  });

  it('turns of one conversation are one session, which ends five minutes after the last (19)', async () => {
    const sessions = () => recorder.of(client.peer, 'session_init').map(({ fields }) => fields.session_id);
    const [session] = sessions();
    expect(session).toMatch(/^[0-9a-f]{64}$/);
    for (const { fields } of recorder.sent.filter(({ fields }) => 'session_id' in fields))
      expect(fields.session_id).toBe(session);
    clock.pass(299_000);
    expect(recorder.of(client.peer, 'abort_session')).toEqual([]);
    clock.pass(2_000);
    await expect.poll(() => recorder.of(client.peer, 'abort_session').length).toBe(chain.length);
    await ask(client, said('Another'));
    expect(new Set(sessions()).size).toBe(2);
    expect(unnamed(recorder.sent, 'private')).toEqual([]);
  });
});

describe('a peer that is lost', () => {
  beforeEach(begin);
  afterEach(() => tabs.close());

  it.each([0, 1])(
    'hop %i: the one before it sends the same rows again, to whoever takes its place (20)',
    async (which) => {
      await lender(tabs, 0, 5);
      await lender(tabs, 5, LAYERS);
      await (which === 0 ? lender(tabs, 0, 5) : lender(tabs, 5, LAYERS));
      const client = tabs.open();
      const stream = await client.shoal.chat.completions.create({
        ...{ messages: said(SECRET), temperature: 0, max_tokens: 12, route: 'network', stream: true },
      });
      let lost = '';
      let hops: string[] = [];
      let prompt = 0;
      for await (const { shoal, usage } of stream) {
        hops = shoal.hops.map(({ peer }) => peer);
        prompt = usage?.prompt_tokens ?? prompt;
        if (lost || shoal.token_ids.length < 5) continue;
        lost = hops[which]!;
        tabs.network.kill(lost);
      }
      expect(hops).not.toContain(lost);
      const before = which === 0 ? client.peer : hops[0]!;
      const rowsTo = (peer: string) =>
        rowsIn(recorder.of(before, 'forward_hidden').filter(({ to }) => to === peer));
      const first = rowsTo(lost);
      const again = rowsTo(hops[which]!);
      // All of the conversation up to then, and what came after.
      expect(again.size).toBe(prompt + 12 - 1);
      for (const [position, row] of first) expect(again.get(position)).toBe(row);
      expect(unnamed(recorder.sent, 'private')).toEqual([]);
      expect(readable(recorder.bytes(client.peer), SECRET, ids(SECRET))).toEqual([]);
    },
  );
});

describe('a light conversation over the network', () => {
  let client: Tab;
  let chain: Tab[];
  let loaded = 0;
  const sampling = { temperature: 0.7, seed: 11, top_p: 0.9 };

  beforeAll(async () => {
    await begin();
    chain = [await lender(tabs, 0, 3), await lender(tabs, 3, 6), await lender(tabs, 6, LAYERS)];
    const loadEngine: Platform['loadEngine'] = (options) => {
      loaded++;
      return loadSlice(nodePlatform, options);
    };
    client = tabs.open({}, { loadEngine });
    recorder.clear();
    const first = await ask(client, said(SECRET), { privacy: 'light', ...sampling });
    await ask(
      client,
      [...said(SECRET), { role: 'assistant', content: first.text }, { role: 'user', content: SECOND }],
      { privacy: 'light', ...sampling },
    );
  });
  afterAll(() => tabs.close());

  it('the first peer gets the ids of the whole conversation, which are its text (21)', () => {
    const frames = recorder.of(client.peer, 'forward_hidden');
    expect(new Set(frames.map(({ to }) => to))).toEqual(new Set([chain[0]!.peer]));
    expect(new Set(frames.map(({ fields }) => fields.dtype))).toEqual(new Set(['tokens']));
    const read = Buffer.concat(
      frames.map((sent) => Buffer.from(decodeTokens(hidden(sent).payload).map((id) => id - FIRST_BYTE))),
    ).toString();
    for (const text of [SYSTEM, SECRET, SECOND]) expect(read.replaceAll(SPACE, ' ')).toContain(text);
    expect(readable(recorder.bytes(client.peer), '', ids(SECRET))).not.toEqual([]);
  });

  it('the last peer chooses the tokens and sends them to the tab (22)', () => {
    const tokens = recorder.sent.filter(({ fields }) => fields.kind === 'token');
    expect(new Set(tokens.map(({ from, to }) => `${from} ${to}`))).toEqual(
      new Set([`${chain[2]!.peer} ${client.peer}`]),
    );
    expect(recorder.of(client.peer, 'forward_hidden')[0]!.fields.sampling).toMatchObject({
      ...{ temperature: 0.7, top_p: 0.9, seed: 11, repetition_penalty: 1, history: new Uint8Array() },
    });
  });

  it('peers between them get hidden states (23)', () => {
    const frames = recorder.of(chain[0]!.peer, 'forward_hidden');
    expect(new Set(frames.map(({ to }) => to))).toEqual(new Set([chain[1]!.peer]));
    expect(new Set(frames.map(({ fields }) => fields.dtype))).toEqual(new Set(['fp32']));
    const all = Buffer.concat([
      recorder.bytes(chain[0]!.peer),
      ...recorder.sent.filter(({ to }) => to === chain[1]!.peer).map(({ body }) => body),
    ]);
    expect(readable(all, SECRET, ids(SECRET))).toEqual([]);
  });

  it('the tab computes nothing (24)', () => {
    expect(loaded).toBe(0);
  });

  it('every field of every message is one that the document names (21, 22)', () => {
    expect(unnamed(recorder.sent, 'light')).toEqual([]);
    // And light mode does have fields that private mode has not.
    expect(unnamed(recorder.sent, 'private')).toContain('forward_hidden sampling.seed');
  });

  it('how tokens are chosen goes along the chain; with a penalty, the last 64 tokens with it (22, 23)', async () => {
    const histories = (peer: string) =>
      recorder.sent.flatMap(({ to, fields }) => {
        const { history } = (fields.sampling ?? {}) as { history?: Uint8Array };
        return to === peer && history ? [decodeTokens(history)] : [];
      });
    for (const { peer } of chain) expect(Math.max(...histories(peer).map((one) => one.length))).toBe(0);
    recorder.clear();
    await ask(client, said(SECRET), { privacy: 'light', repetition_penalty: 1.2 });
    for (const { peer } of chain) {
      expect(Math.max(...histories(peer).map((one) => one.length))).toBe(64);
      // The peers between are readers, then.
      const last = Buffer.from(histories(peer)[0]!.map((id) => id - FIRST_BYTE)).toString();
      expect(last.replaceAll(SPACE, ' ')).toContain(SECRET);
    }
    expect(unnamed(recorder.sent, 'light')).toEqual([]);
  });
});

/** Each row of these frames, by its position. */
function rowsIn(frames: readonly Sent[]): Map<number, string> {
  const rows = new Map<number, string>();
  for (const { payload, position, shape } of frames.map(hidden)) {
    const bytes = payload.length / shape[1];
    for (let i = 0; i < shape[1]; i++)
      rows.set(position! + i, Buffer.from(payload.subarray(i * bytes, (i + 1) * bytes)).toString('hex'));
  }
  return rows;
}

/** Keeps what an engine for the first layers puts out. */
async function listened(
  options: Parameters<Platform['loadEngine']>[0],
  outputs: Float32Array[],
): Promise<Engine> {
  const engine = await loadSlice(nodePlatform, options);
  if (!options.slice.embed || options.slice.head) return engine;
  return altered(engine, {
    forward: async (session, input, options) => {
      const output = await engine.forward(session, input, options);
      if (output.hidden) outputs.push(output.hidden.slice());
      return output;
    },
  });
}
