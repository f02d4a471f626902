import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type PeerAddress, relayAddress, type Swarm } from '../src/swarm/index.ts';
import { createNodeSwarm } from '../src/swarm/node.ts';
import {
  decodeMessage,
  encodeMessage,
  type Hello,
  type Message,
  type Offer,
  PROTOCOL_VERSION,
  type SessionAck,
} from '../src/wire/index.ts';
import { buildPage } from './build.ts';
import type { HostingHealth } from './hosting/hosting.ts';
import type { NetworkHealth } from './membership.ts';
import type { ModelListing } from './shelf.ts';
import { RelayProcess } from './testing/relay-process.ts';

const MODEL = fileURLToPath(new URL('../fixtures/llama3-scaled-rope', import.meta.url));
const LAYERS = 4;
let folder: string;
/** A process takes a second or two to start, several on a busy machine. Milliseconds. */
const PROCESSES = { timeout: 90_000 };
const relays: RelayProcess[] = [];
const peers: Swarm[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-network-'));
  // Each relay would build it otherwise, at the same time.
  await buildPage(fileURLToPath(new URL('..', import.meta.url)));
}, 120_000);

afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.close('the test is over')));
  await Promise.all(relays.splice(0).map((relay) => relay.stop('SIGKILL')));
});

afterAll(() => rm(folder, { recursive: true }));

function start(data: string, ...args: string[]): RelayProcess {
  const common = ['--port', '0', '--host', '127.0.0.1', '--data', join(folder, data), '--model', MODEL];
  const relay = new RelayProcess([...common, ...args]);
  relays.push(relay);
  return relay;
}

async function json<T>(relay: RelayProcess, path: string): Promise<T> {
  const response = await fetch(`${await relay.url()}${path}`);
  expect(response.status).toBe(200);
  return response.json() as Promise<T>;
}

/** A peer that knows nothing but the relay's URL, as a page does. */
async function joinBy(relay: RelayProcess): Promise<Swarm> {
  const { peer } = await json<{ peer: string }>(relay, '/network.json');
  const swarm = await createNodeSwarm({ relays: [relayAddress(await relay.url(), peer)] });
  peers.push(swarm);
  await swarm.ready;
  return swarm;
}

/** Sends one message and resolves to the first answer that fits. */
function exchange<T extends Message>(
  { transport }: Swarm,
  to: PeerAddress,
  message: Message,
  fits: (answer: Message) => answer is T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = transport.listen({
      frame(from, bytes) {
        const answer = decodeMessage(bytes);
        if (from !== to.peer || !fits(answer)) return;
        stop();
        resolve(answer);
      },
      gone: (peer, reason) => {
        if (peer === to.peer) reject(new Error(`${peer} is gone: ${reason}`));
      },
    });
    transport.send(to, encodeMessage(message)).catch(reject);
  });
}

async function offersOf(peer: Swarm, host: PeerAddress): Promise<Offer[]> {
  const greeting = { peer_id: peer.transport.publicKey, proto_ver: PROTOCOL_VERSION, supported_quants: [] };
  const isAnswer = (message: Message): message is Hello => message.kind === 'hello' && message.nonce === 7;
  const hello: Hello = { kind: 'hello', ...greeting, ask: true, nonce: 7 };
  return (await exchange(peer, host, hello, isAnswer)).offers ?? [];
}

/** The relay that holds these layers, as a stranger finds it. */
async function find(relay: RelayProcess, peer: Swarm, start: number, end: number): Promise<PeerAddress[]> {
  const [listing] = await json<ModelListing[]>(relay, '/models/index.json');
  return peer.directory.holders({ cid: listing!.cid, layers: LAYERS }, { start, end });
}

const announced = (relay: RelayProcess) =>
  relay.said(/Lending layers (\d+) to (\d+) of llama\b.*room for \d+/);

describe('a relay that was started with no option', PROCESSES, () => {
  it('is joined by its URL alone, found in the DHT, and offers the whole model', async () => {
    const relay = start('whole');
    expect((await announced(relay)).slice(1, 3)).toEqual(['0', String(LAYERS - 1)]);
    const peer = await joinBy(relay);
    const { peer: id } = await json<{ peer: string }>(relay, '/network.json');
    const holders = await find(relay, peer, 2, LAYERS);
    expect(holders.map((holder) => holder.peer)).toEqual([id]);
    const [offer, ...more] = await offersOf(peer, holders[0]!);
    expect(more).toEqual([]);
    expect(offer).toMatchObject({
      start: 0,
      end: LAYERS,
      embed: true,
      head: true,
      // What a client that runs the front itself asks for.
      loaded: [{ start: 2, end: LAYERS, embed: false, head: false }],
      arithmetic: 'exact',
      precision: 'float32',
      draining: false,
      sessions: 0,
    });
    expect(offer!.free_blocks).toBeGreaterThan(0);
    const health = await json<{ hosting: HostingHealth; network: NetworkHealth }>(relay, '/healthz');
    expect(health.network).toMatchObject({ state: 'online', peers: 1, links: { websocket: 1 } });
    expect(health.hosting).toMatchObject({
      state: 'lending',
      sessions: 0,
      slices: [{ start: 0, end: LAYERS }],
    });
    expect((await stat(join(folder, 'whole/relay.key'))).mode & 0o777).toBe(0o600);
  });

  it('says goodbye to its clients when it is told to stop, and keeps its name', async () => {
    const relay = start('stop');
    await announced(relay);
    const peer = await joinBy(relay);
    const [host] = await find(relay, peer, 0, LAYERS);
    const [offer] = await offersOf(peer, host!);
    const client = { peer: peer.peer, addrs: [] };
    const isAck = (message: Message): message is SessionAck => message.kind === 'session_ack';
    await exchange(
      peer,
      host!,
      {
        kind: 'session_init',
        session_id: 'ab'.repeat(32),
        client_x25519_pub: new Uint8Array(32),
        model_cid: offer!.cid,
        layer_range: { start: 2, end: LAYERS },
        max_seq: 16,
        epoch: 0,
        generation: 0,
        in_epoch: 0,
        out_epoch: 0,
        prev: client,
        next: client,
      },
      isAck,
    );
    const heard: string[] = [];
    const gone = new Promise<void>((resolve) => {
      peer.transport.listen({
        frame: (_from, bytes) => heard.push(decodeMessage(bytes).kind),
        gone: (_peer, reason) => {
          heard.push(reason);
          resolve();
        },
      });
    });
    const ended = relay.stop('SIGTERM');
    await gone;
    // Not from silence, which takes seconds.
    expect(heard).toEqual(['abort_session', 'it said goodbye']);
    expect(await ended).toBe(0);
    const again = start('stop', '--layers', 'none');
    expect((await json<{ peer: string }>(again, '/network.json')).peer).toBe(host!.peer);
  });
});

describe('peers that are left in peace', PROCESSES, () => {
  it('keep their relay, whatever libp2p’s own watch over connections does', async () => {
    const relay = start('peace', '--layers', 'none');
    const joined = await Promise.all(Array.from({ length: 6 }, () => joinBy(relay)));
    const lost: string[] = [];
    for (const one of joined) one.subscribe(({ relay }) => relay === 'connected' || lost.push(one.peer));
    // One look of the watch, which comes every five seconds: nothing tells of a connection that is not cut.
    await new Promise((resolve) => setTimeout(resolve, 7_000));
    expect(lost).toEqual([]);
  });
});

describe('--layers', PROCESSES, () => {
  it('none lends nothing, and the relay is in the network all the same', async () => {
    const relay = start('none', '--layers', 'none');
    await relay.said(/Serving llama/);
    const peer = await joinBy(relay);
    expect(await find(relay, peer, 0, LAYERS)).toEqual([]);
    const { hosting } = await json<{ hosting: HostingHealth }>(relay, '/healthz');
    expect(hosting).toMatchObject({ state: 'off', slices: [] });
  });

  it('1-3 lends layers 1 and 2', async () => {
    const relay = start('part', '--layers', '1-3', '--memory', '64MB');
    expect((await announced(relay)).slice(1, 3)).toEqual(['1', '2']);
    const peer = await joinBy(relay);
    expect(await find(relay, peer, 3, 4)).toEqual([]);
    const [host] = await find(relay, peer, 1, 2);
    const [offer] = await offersOf(peer, host!);
    expect(offer).toMatchObject({ start: 1, end: 3, embed: false, head: false });
    expect(offer!.loaded).toEqual([{ start: 2, end: 3, embed: false, head: false }]);
  });

  it('names the layers of a model that has fewer, and serves on', async () => {
    const relay = start('beyond', '--layers', '2-9');
    await relay.said(/layers 2-9 .*which has layers 0-4/);
    const { hosting } = await json<{ hosting: HostingHealth }>(relay, '/healthz');
    expect(hosting).toMatchObject({ state: 'failed', slices: [] });
  });
});

describe('a relay that cannot do everything', PROCESSES, () => {
  it('serves the model when its identity is unreadable, and says what to do', async () => {
    await mkdir(join(folder, 'spoilt'));
    await writeFile(join(folder, 'spoilt/relay.key'), 'no key');
    const relay = start('spoilt');
    await relay.said(/not in the network.*relay\.key holds no key. Move it away/);
    await relay.said(/Serving llama/);
    expect((await fetch(`${await relay.url()}/network.json`)).status).toBe(503);
    const socket = new WebSocket(`${(await relay.url()).replace('http', 'ws')}/p2p`);
    const [, response] = await once(socket, 'unexpected-response');
    expect(response.statusCode).toBe(503);
  });
});
