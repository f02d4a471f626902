import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { afterEach, expect, it, vi } from 'vitest';
import { createNodeSwarm } from './node.ts';
import type { RelaySwarmOptions } from './relay-swarm.ts';
import type { Swarm } from './swarm.ts';
import { frameOf, Heard, startRelay, type TestRelay } from './testing/relay.ts';

// Several whole nodes and their handshakes, on a machine that may be busy with others.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

const CID = 'bafkreitest';
const open: { close(reason: string): Promise<void> }[] = [];
const relays: TestRelay[] = [];

async function relayWith(options: Omit<RelaySwarmOptions, 'attachTo'>): Promise<TestRelay> {
  const relay = await startRelay(options);
  relays.push(relay);
  return relay;
}

async function peerOver(address: string): Promise<Swarm> {
  const swarm = await createNodeSwarm({ relays: [address], dial: ['tcp', 'webrtc-direct'] });
  open.push(swarm);
  await swarm.ready;
  return swarm;
}

const reachedOver = (relay: TestRelay, kind: RegExp) => {
  const found = relay.swarm.status().addresses.find((address) => kind.test(address));
  expect(found).toBeDefined();
  return found!;
};
/** `toEqual` takes seconds for so many bytes. */
const isFilled = (bytes: Uint8Array, size: number, fill: number) =>
  bytes.length === size && bytes.every((byte) => byte === fill);
const WEBRTC = /^\/ip4\/127\.0\.0\.1\/udp\/\d+\/webrtc-direct\/certhash\/u[\w-]+\/p2p\/\w+$/;
const TCP = /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/\w+$/;

afterEach(async () => {
  await Promise.all(open.splice(0).map((swarm) => swarm.close('the test is over')));
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
});

for (const [kind, form, path] of [
  ['webrtc-direct', WEBRTC, 'direct'],
  ['tcp', TCP, 'tcp'],
] as const)
  it(`a peer that knows only the ${kind} address is served, found and reached through the relay`, async () => {
    const relay = await relayWith({ listen: { tcp: 0, webrtc: 0, host: '127.0.0.1' } });
    const address = reachedOver(relay, form);
    const [a, b] = [await peerOver(address), await peerOver(address)];
    const [atA, atB, atRelay] = [a, b, relay.swarm].map(({ transport }) => new Heard(transport)) as [
      Heard,
      Heard,
      Heard,
    ];
    // Nothing of what reservations cost is counted as relayed.
    expect(relay.swarm.counts()).toMatchObject({
      peers: 2,
      reservations: 2,
      relayedBytes: 0,
      pending: 0,
      connections: { websocket: 0, tcp: 0, 'webrtc-direct': 0, [kind]: 2 },
    });

    // Frames to the relay and back, in several messages of the transport.
    await a.transport.send({ peer: relay.swarm.peer, addrs: [] }, frameOf(300_000, 3));
    await atRelay.when(({ frames }) => frames.length === 1);
    await relay.swarm.transport.send({ peer: a.peer, addrs: [] }, frameOf(300_000, 4));
    await atA.when(({ frames }) => frames.length === 1);
    expect(isFilled(atRelay.frames[0]!.bytes, 300_000, 3)).toBe(true);
    expect(isFilled(atA.frames[0]!.bytes, 300_000, 4)).toBe(true);
    expect(a.transport.link(relay.swarm.peer)!.path).toBe(path);
    expect(relay.swarm.transport.link(a.peer)!.path).toBe(path);
    expect(relay.swarm.counts().relayedBytes).toBe(0);

    // The DHT, and from one peer to the other.
    const slice = { cid: CID, layers: 30, start: 8, end: 22 };
    await b.directory.announce(slice);
    const [holder] = await a.directory.holders({ cid: CID, layers: 30 }, { start: 8, end: 22 });
    expect(holder!.peer).toBe(b.peer);
    await a.transport.send(holder!, frameOf(100_000, 5));
    await atB.when(({ frames }) => frames.length === 1);
    expect(atB.frames[0]!.from).toBe(a.peer);
    expect(isFilled(atB.frames[0]!.bytes, 100_000, 5)).toBe(true);
    expect(a.transport.link(b.peer)!.path).toBe('relayed');
    // The frame, and what noise, yamux, identify and the pulse put around it.
    const { relayedBytes } = relay.swarm.counts();
    expect(relayedBytes).toBeGreaterThan(100_000);
    expect(relayedBytes).toBeLessThan(115_000);

    await b.close('the peer goes');
    await atA.when(({ losses }) => losses.length === 1);
    expect(await a.directory.holders({ cid: CID, layers: 30 }, { start: 8, end: 22 })).toEqual([]);
  });

it('tells where it is reached: what is announced, with the certificate’s hash, and where it listens', async () => {
  const advertise = ['/ip4/198.51.100.7/udp/443/webrtc-direct', '/dns/relay.example/tcp/443/tls/ws'];
  const relay = await relayWith({ advertise, listen: { tcp: 0, webrtc: 0, host: '127.0.0.1' } });
  const { peer } = relay.swarm;
  const own = reachedOver(relay, WEBRTC);
  const hash = /\/certhash\/[^/]+/.exec(own)![0];
  expect(relay.swarm.status().addresses).toEqual([
    `${advertise[0]}${hash}/p2p/${peer}`,
    `${advertise[1]}/p2p/${peer}`,
    reachedOver(relay, TCP),
    own,
  ]);
  expect(relay.swarm.transport.addresses()).toEqual(relay.swarm.status().addresses);
  // Every address of the machine, for one that listens on all of them.
  const everywhere = await relayWith({ listen: { tcp: 0, host: '0.0.0.0' } });
  expect(everywhere.swarm.status().addresses.filter((address) => address.includes('0.0.0.0'))).toEqual([]);
  reachedOver(everywhere, TCP);
});

it('says which port is taken, and leaves nothing running', async () => {
  const first = await relayWith({ listen: { tcp: 0, host: '127.0.0.1' } });
  const port = Number(/tcp\/(\d+)/.exec(reachedOver(first, TCP))![1]);
  const start = startRelay({ listen: { tcp: port, host: '127.0.0.1' } });
  await expect(start).rejects.toMatchObject({
    code: 'listen-failed',
    message: expect.stringContaining(`${port}`),
  });
});

it('is an ordinary libp2p node on its TCP port', async () => {
  const relay = await relayWith({ listen: { tcp: 0, host: '127.0.0.1' } });
  const native = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
  open.push({ close: async () => native.stop() });
  const connection = await native.dial(multiaddr(reachedOver(relay, TCP)));
  expect(connection.remotePeer.toString()).toBe(relay.swarm.peer);
});
