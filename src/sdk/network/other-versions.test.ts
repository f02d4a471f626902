import { afterEach, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../wire/index.ts';
import { Tabs } from '../testing/tabs.ts';
import { tinyModel } from '../testing/tiny-model.ts';

let tabs: Tabs;
afterEach(() => tabs.close());

it('peers of another version are counted, and never take part in an answer', async () => {
  tabs = await Tabs.around(tinyModel(8, 1.5));
  const stranger = tabs.network.join('stranger');
  const asked: string[] = [];
  stranger.listen({
    frame(from, body) {
      const message = decodeMessage(body);
      asked.push(message.kind);
      if (message.kind !== 'hello' || !message.ask) return;
      const { nonce } = message;
      const { publicKey } = stranger;
      void stranger.send(
        { peer: from, addrs: [] },
        encodeMessage({
          kind: 'hello',
          peer_id: publicKey,
          proto_ver: 2,
          supported_quants: [],
          agent: 'shoal/9',
          ...(nonce !== undefined && { nonce }),
          offers: [
            {
              cid: tabs.cid,
              start: 0,
              end: 8,
              embed: true,
              head: true,
              loaded: [],
              load_ms: 0,
              arithmetic: 'exact',
              precision: 'float32',
              backend: 'wasm',
              max_tokens: 4096,
              free_blocks: 999,
              sessions: 0,
              // The fastest of all, so that a planner that took it would take it first.
              decode_ms: 0.001,
              prefill_ms: 0.001,
              draining: false,
              positions: 0,
            },
          ],
        }),
      );
    },
    gone() {},
  });
  await tabs.network.directory('stranger').announce({ cid: tabs.cid, layers: 8, start: 0, end: 8 });
  const client = tabs.open();
  const ask = () =>
    client.shoal.chat.completions.create({
      messages: [{ role: 'user', content: 'Hello' }],
      max_tokens: 4,
      route: 'network',
      stream: false,
    });
  expect(client.shoal.membership.get().otherVersions).toBe(0);
  await expect(ask()).rejects.toMatchObject({ code: 'unreachable' });
  expect(client.shoal.membership.get().otherVersions).toBe(1);

  const host = tabs.open();
  await host.shoal.share({ layers: [2, 8] });
  const { shoal } = await ask();
  expect(shoal.hops.map(({ peer }) => peer)).toEqual([host.peer]);
  expect(asked.length).toBeGreaterThan(0);
  expect(new Set(asked)).toEqual(new Set(['hello']));
  const { peers, coverage } = await client.shoal.network();
  expect(peers.map(({ peer }) => peer)).toEqual([host.peer]);
  expect(coverage[0]!.layers[0]!.holders).toEqual([]);
  expect(client.shoal.membership.get().otherVersions).toBe(1);

  // One that only asks is met as well: an old tab that lends for days hears of it by the newer ones.
  const newer = tabs.network.join('newer');
  await newer.send(
    { peer: host.peer, addrs: [] },
    encodeMessage({ kind: 'hello', peer_id: newer.publicKey, proto_ver: 3, supported_quants: [], ask: true }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(host.shoal.membership.get().otherVersions).toBe(1);
});
