import { once } from 'node:events';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { type Ping, ping } from '@libp2p/ping';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FRAME_PROTOCOL, PULSE_PROTOCOL } from './limits.ts';
import { createNodeSwarm } from './node.ts';
import { frameOf, Heard, startRelay, type TestRelay } from './testing/relay.ts';

let relay: TestRelay;
let atRelay: Heard;
let raw: Libp2p<{ ping: Ping }>;

/** A peer that keeps to libp2p and to none of our rules. */
async function strange(): Promise<Connection> {
  raw = await createLibp2p({
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { ping: ping() },
  });
  return raw.dial(multiaddr(relay.address));
}

beforeEach(async () => {
  relay = await startRelay();
  atRelay = new Heard(relay.swarm.transport);
});

afterEach(async () => {
  await raw?.stop();
  await relay.stop();
});

const self = () => raw.peerId.toString();

describe('a peer that sends what no honest program sends', () => {
  const floods = new Uint8Array(200_000 * 5);
  for (let at = 0; at < floods.length; at += 5) floods.set([0, 0, 0, 1, 7], at);
  const garbage: [string, string, Uint8Array][] = [
    ['a length above the cap', FRAME_PROTOCOL, Uint8Array.of(255, 255, 255, 255, 1, 2, 3)],
    ['a length of zero', FRAME_PROTOCOL, Uint8Array.of(0, 0, 0, 1, 7, 0, 0, 0, 0)],
    ['a flood of frames', FRAME_PROTOCOL, floods],
    ['a pulse that is none', PULSE_PROTOCOL, Uint8Array.of(99, 1, 2, 3, 4)],
  ];
  for (const [what, protocol, bytes] of garbage)
    it(`is cut off and refused while others are served: ${what}`, async () => {
      const other = await createNodeSwarm({ relays: [relay.address] });
      try {
        await other.ready;
        const connection = await strange();
        const stream = await connection.newStream(protocol);
        const closed = new Promise((resolve) => connection.addEventListener('close', resolve));
        stream.send(bytes);
        await closed;
        expect(relay.swarm.transport.link(self())).toBeNull();
        // libp2p tells the dialler late: its side is done before the other has looked who it is.
        const again = await raw.dial(multiaddr(relay.address)).catch(() => null);
        if (again?.status === 'open')
          await new Promise((resolve) => again.addEventListener('close', resolve));
        await expect(
          relay.swarm.transport.send({ peer: self(), addrs: [] }, frameOf(1)),
        ).rejects.toMatchObject({ code: 'gone' });

        const before = atRelay.frames.length;
        await other.transport.send({ peer: relay.swarm.peer, addrs: [] }, frameOf(5, 5));
        await atRelay.when(({ frames }) => frames.length > before);
        expect(atRelay.frames.at(-1)).toEqual({ from: other.peer, bytes: new Uint8Array(5).fill(5) });
        expect(atRelay.losses.filter(({ peer }) => peer === other.peer)).toEqual([]);
      } finally {
        await other.close('the test is over');
      }
    });
});

it('a slow reader holds its sender, and gets everything in order when it reads on', async () => {
  const connection = await strange();
  let reading!: (stream: Stream) => void;
  const opened = new Promise<Stream>((resolve) => {
    reading = resolve;
  });
  const got: Uint8Array[] = [];
  let bytes = 0;
  let whole = () => {};
  await raw.handle(FRAME_PROTOCOL, (stream) => {
    stream.addEventListener('message', ({ data }) => {
      got.push(data.subarray());
      bytes += data.byteLength;
      if (bytes === 40 * (MIB + 4)) whole();
    });
    stream.pause();
    reading(stream);
  });
  await raw.handle(PULSE_PROTOCOL, (stream) => {
    // A slow reader is alive: it answers.
    stream.addEventListener('message', ({ data }) => {
      const answer = data.subarray().slice();
      answer[0] = 2;
      stream.send(answer);
    });
  });
  // An answer: the relay knows the connection too.
  await raw.services.ping.ping(connection.remotePeer);
  const MIB = 1024 * 1024;
  let taken = 0;
  const sends = Array.from({ length: 40 }, (_, i) =>
    relay.swarm.transport.send({ peer: self(), addrs: [] }, frameOf(MIB, i)).then(() => {
      taken++;
    }),
  );
  const stream = await opened;
  for (let i = 0; i < 20; i++) await raw.services.ping.ping(connection.remotePeer);
  // The window of one stream and the buffers below it: far from forty.
  expect(taken).toBeLessThan(24);
  // What waits is bounded too.
  const more = Array.from({ length: 60 }, () =>
    relay.swarm.transport.send({ peer: self(), addrs: [] }, frameOf(MIB)).catch(({ code }) => code),
  );
  expect(await more.at(-1)).toBe('too-large');

  const all = new Promise<void>((resolve) => {
    whole = resolve;
  });
  stream.resume();
  await Promise.all([...sends, all]);
  const received = Buffer.concat(got);
  for (let i = 0; i < 40; i++) expect(received[i * (MIB + 4) + 4]).toBe(i);
  await Promise.all(more);
});

describe('the relay’s port', () => {
  it('serves the page and the WebSockets, and refuses other upgrades', async () => {
    const page = await fetch(`http://127.0.0.1:${relay.port}/`);
    expect(await page.text()).toBe('the page');
    for (const [path, status] of [
      ['/', 101],
      ['/p2p?x=1', 101],
      ['/elsewhere', 404],
    ] as const) {
      const socket = new WebSocket(`ws://127.0.0.1:${relay.port}${path}`);
      expect(await answerTo(socket)).toBe(status);
      socket.terminate();
    }
  });

  it('takes no more sockets than it can hold', async () => {
    await relay.stop();
    relay = await startRelay({ limits: { connections: 2 } });
    const sockets = [];
    for (let i = 0; i < 3; i++) {
      const socket = new WebSocket(`ws://127.0.0.1:${relay.port}/`);
      sockets.push(socket);
      expect(await answerTo(socket)).toBe(i < 2 ? 101 : 503);
    }
    for (const socket of sockets) socket.terminate();
  });

  it('closes a socket that sends text', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${relay.port}/`);
    await once(socket, 'open');
    socket.send('hello');
    await once(socket, 'close');
  });
});

/** The status that an upgrade was answered with. */
function answerTo(socket: WebSocket): Promise<number | undefined> {
  socket.on('error', () => {});
  return new Promise((resolve) => {
    socket.once('upgrade', ({ statusCode }) => resolve(statusCode));
    socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
  });
}
