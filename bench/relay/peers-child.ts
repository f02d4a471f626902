/** Many peers of one relay in one process: joins, then finds, then sends through the relay; see peers.ts. */
import { once } from 'node:events';
import { relayAddress, type Swarm } from '../../src/swarm/index.ts';
import { createNodeSwarm } from '../../src/swarm/node.ts';
import { frame } from '../../src/wire/index.ts';
import { median } from '../statistics.ts';
import type { PeersResult } from './peers.ts';
import { quantile } from './quantile.ts';

const CID = 'bafkr4iadjbyd3zuwvjrd5loz3h6xwkplrrxtaakqvvzwsfpurfkqkxbhdm';
const LAYERS = 32;
/** At once: more only wait for each other. */
const JOINING = 8;
const FRAME = 16_384;
const SEND_MS = 10_000;

const [, , url, count] = process.argv as string[] as [string, string, string, string];
const { peer } = (await (await fetch(`${url}/network.json`)).json()) as { peer: string };
const address = relayAddress(url, peer);
const peers: Swarm[] = [];

const started = performance.now();
const join = async () => {
  while (peers.length < Number(count)) {
    const swarm = await createNodeSwarm({ relays: [address] });
    if (peers.length >= Number(count)) return void swarm.close('one too many');
    const start = (peers.length * 4) % LAYERS;
    peers.push(swarm);
    await swarm.ready;
    await swarm.directory.announce({ cid: CID, layers: LAYERS, start, end: start + 4 });
  }
};
await Promise.all(Array.from({ length: JOINING }, join));
const joinedSeconds = (performance.now() - started) / 1000;
process.send?.({ joined: peers.length });
await once(process, 'message');

const finds: number[] = [];
await Promise.all(
  peers.slice(0, 20).map(async ({ directory }) => {
    for (let i = 0; i < 15; i++) {
      const asked = performance.now();
      const found = await directory.holders({ cid: CID, layers: LAYERS }, { start: 8, end: 12 });
      finds.push(performance.now() - asked);
      if (found.length === 0) throw new Error('the DHT found nobody');
    }
  }),
);

let relayedBytes = 0;
let cuts = 0;
const until = performance.now() + SEND_MS;
await Promise.all(
  Array.from({ length: 8 }, async (_, i) => {
    const [from, to] = [peers[2 * i]!, peers[2 * i + 1]!];
    to.transport.listen({
      frame: (_from, bytes) => {
        relayedBytes += bytes.length;
      },
      gone: () => {},
    });
    const target = { peer: to.peer, addrs: to.status().addresses };
    const body = frame(new Uint8Array(FRAME).fill(i));
    while (performance.now() < until)
      await from.transport.send(target, body).catch(() => {
        cuts++;
      });
  }),
);
const result: PeersResult = {
  peers: peers.length,
  joinedSeconds,
  findMedianMs: median(finds),
  find99Ms: quantile(finds, 0.99),
  relayedBytes,
  cuts,
  relayedSeconds: SEND_MS / 1000,
};
process.send?.(result);
// Five hundred goodbyes take longer than anybody waits: the parent ends this process.
setInterval(() => {}, 1_000);
