import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  decodeMessage,
  encodeMessage,
  type Hello,
  type Offer,
  PROTOCOL_VERSION,
  type SessionInit,
} from '../../wire/index.ts';
import { ask, lender } from '../testing/ask.ts';
import { unnamed } from '../testing/named-fields.ts';
import { readable } from '../testing/readable.ts';
import { Recorder } from '../testing/recorder.ts';
import { Tabs } from '../testing/tabs.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import type { Message } from '../types.ts';

/** The numbers in names of tests are those of the statements in docs/privacy.md. */
const LAYERS = 8;
const SECRET = 'My passport expired in Bolivia';
const QUESTION: Message[] = [{ role: 'user', content: SECRET }];

let tabs: Tabs;
let recorder: Recorder;

beforeEach(async () => {
  tabs = await Tabs.around(tinyModel(LAYERS, 1.5));
  recorder = new Recorder(tabs);
});
afterEach(() => tabs.close());

/** Asks a tab what it lends and whom it is linked to, as anybody can. */
async function greet(peer: string): Promise<Hello> {
  const stranger = tabs.network.join('stranger');
  const answer = new Promise<Hello>((resolve) =>
    stranger.listen({ frame: (_from, body) => resolve(decodeMessage(body) as Hello), gone() {} }),
  );
  const question: Hello = {
    kind: 'hello',
    peer_id: stranger.publicKey,
    proto_ver: PROTOCOL_VERSION,
    supported_quants: [],
    ask: true,
    nonce: 7,
    want_links: true,
  };
  await stranger.send({ peer, addrs: [] }, encodeMessage(question));
  const hello = await answer;
  tabs.network.kill('stranger');
  return hello;
}

describe('sharing', () => {
  const figuresOf = ({ sessions, free_blocks, positions }: Offer) => ({ sessions, free_blocks, positions });
  const announced = () => recorder.asked.filter(({ call }) => call === 'announce').map(({ peer }) => peer);

  it('a tab that does not share publishes nothing, offers nothing and runs nothing for others (6, 25)', async () => {
    await lender(tabs, 0, 5);
    const dying = await lender(tabs, 5, LAYERS);
    const client = tabs.open();
    const stream = await client.shoal.chat.completions.create({
      ...{ messages: QUESTION, temperature: 0, max_tokens: 12, route: 'network', stream: true },
    });
    for await (const { shoal } of stream) if (shoal.token_ids.length === 4) dying.kill();
    // It runs layers for itself now.
    expect(announced()).not.toContain(client.peer);
    const hello = await greet(client.peer);
    expect(hello.offers).toEqual([]);
    expect(hello.agent).toMatch(/^shoal\/[\d.]+$/);
    expect(hello.links!.map(({ path }) => path)).not.toContain('local');
    const opening = recorder.of(client.peer, 'session_init').at(-1)!;
    const stranger = tabs.network.join('stranger');
    await stranger.send(
      { peer: client.peer, addrs: [] },
      encodeMessage({
        ...(decodeMessage(opening.body) as SessionInit),
        session_id: 'ab'.repeat(32),
        layer_range: { start: 5, end: LAYERS },
        prev: { peer: 'stranger', addrs: [] },
        next: { peer: 'stranger', addrs: [] },
      }),
    );
    const refused = () =>
      recorder.of(client.peer, 'abort_session').map(({ to, fields }) => [to, fields.code]);
    await expect.poll(refused).toContainEqual(['stranger', 'no-slice']);
  });

  it('a record names the model, the layers and the peer; a pause, a stop and leaving withdraw it (26)', async () => {
    const tab = await lender(tabs, 0, LAYERS);
    const holding = { cid: tabs.cid, start: 0, end: LAYERS, layers: LAYERS };
    const calls = () => recorder.asked.splice(0).map(({ call, given }) => [call, given]);
    const publications = () => calls().filter(([call]) => call !== 'holders');
    expect(publications()).toEqual([['announce', [holding]]]);
    await tab.shoal.pauseSharing();
    expect(publications()).toEqual([['withdraw', [holding]]]);
    await tab.shoal.resumeSharing();
    expect(publications()).toEqual([['announce', [holding]]]);
    await tab.shoal.unshare();
    expect(publications()).toEqual([['withdraw', [holding]]]);
    await tab.shoal.share({ layers: [0, LAYERS] });
    calls();
    await tab.shoal.dispose();
    expect(publications()).toEqual([['withdraw', [holding]]]);
  });

  it('its offer has the fields that the document names (27)', async () => {
    const tab = await lender(tabs, 0, LAYERS);
    await ask(tabs.open(), QUESTION);
    const hello = await greet(tab.peer);
    expect(hello.offers).toHaveLength(1);
    expect(hello.offers![0]).toMatchObject({
      cid: tabs.cid,
      start: 0,
      end: LAYERS,
      positions: expect.any(Number),
    });
    expect(unnamed(recorder.sent, 'private')).toEqual([]);
  });

  it('nothing of the own conversations is in it (28)', async () => {
    const tab = await lender(tabs, 0, LAYERS);
    await tab.shoal.load();
    const offer = async (): Promise<Offer> => (await greet(tab.peer)).offers![0]!;
    const before = await offer();
    await ask(tab, QUESTION, { route: 'local' });
    expect(await offer()).toEqual(before);
    // Over the network, with itself as the peer: that somebody took room can be seen, and no more.
    await ask(tab, QUESTION);
    const after = await offer();
    expect(after.sessions).toBe(1);
    expect({ ...after, ...figuresOf(before) }).toEqual(before);
    expect(readable(recorder.bytes(tab.peer), SECRET, [])).toEqual([]);
  });
});
