import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createNodeSwarm } from './node.ts';
import type { RefusalReason, RelaySwarmOptions } from './relay-swarm.ts';
import { startRelay, type TestRelay } from './testing/relay.ts';

// Several whole nodes and their handshakes, on a machine that may be busy with others.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

/** Another address of this machine, as Linux has it. */
const FLOODER = '127.0.0.2';
const OTHER_PEER = fileURLToPath(new URL('testing/other-peer.ts', import.meta.url));
const sockets: (Socket | WebSocket)[] = [];
let relay: TestRelay;
const refusals: RefusalReason[] = [];
let told = () => {};

async function relayWith(options: Omit<RelaySwarmOptions, 'attachTo'>): Promise<void> {
  refusals.length = 0;
  const refused = (reason: RefusalReason) => {
    refusals.push(reason);
    told();
  };
  relay = await startRelay({ listen: { tcp: 0, webrtc: 0, host: '127.0.0.1' }, refused, ...options });
}

/** Resolves when so many were refused. */
async function refused(count: number): Promise<void> {
  while (refusals.length < count)
    await new Promise<void>((resolve) => {
      told = resolve;
    });
}

const addressOver = (kind: string) => relay.swarm.status().addresses.find((one) => one.includes(kind))!;
const portOver = (kind: string) => Number(new RegExp(`/${kind}/(\\d+)`).exec(addressOver(`/${kind}/`))![1]);

/** A peer in a process of its own that joins, and stays until it is killed. */
async function joined(kind: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', OTHER_PEER, addressOver(kind)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child;
}

async function joins(kind: string): Promise<void> {
  const child = await joined(kind);
  child.kill('SIGKILL');
  await once(child, 'close');
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket instanceof WebSocket ? socket.terminate() : socket.destroy();
  await relay.stop();
});

it('a flood of TCP connections from one address leaves the others their places', async () => {
  await relayWith({ limits: { pendingPerAddress: 4 } });
  const closed: Promise<unknown>[] = [];
  for (let i = 0; i < 40; i++) {
    const socket = connect({ port: portOver('tcp'), host: '127.0.0.1', localAddress: FLOODER });
    socket.on('error', () => {});
    // A relay speaks first; nobody listens, so nothing would ever end.
    socket.resume();
    closed.push(new Promise((resolve) => socket.once('close', resolve)));
    sockets.push(socket);
  }
  await refused(36);
  expect(new Set(refusals)).toEqual(new Set(['pending-per-address']));
  expect(relay.swarm.counts().pending).toBe(4);
  await joins('/tcp/');
  await joins('/webrtc-direct/');
  for (const socket of sockets.splice(0)) (socket as Socket).destroy();
  await Promise.all(closed);
});

it('a flood of STUN requests makes few connections, and none that stay', async () => {
  await relayWith({ limits: { pendingPerAddress: 4, pending: 16 } });
  const socket = createSocket('udp4');
  socket.bind(0, FLOODER);
  await once(socket, 'listening');
  const port = portOver('udp');
  const send = (bytes: Uint8Array) =>
    new Promise<void>((resolve) => socket.send(bytes, port, '127.0.0.1', () => resolve()));
  // Datagrams may be lost, so it goes on until enough of them were refused.
  let over = false;
  const flood = (async () => {
    while (!over) {
      await send(stunRequest());
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  try {
    await refused(100);
    expect(new Set(refusals)).toEqual(new Set(['pending-per-address']));
    expect(relay.swarm.counts().pending).toBe(4);
    // While it goes on.
    await joins('/webrtc-direct/');
    await joins('/tcp/');
  } finally {
    // Before the relay stops: see closeConnectionsFirst.
    over = true;
    await flood;
    socket.close();
  }
});

it('garbage on the UDP port does nothing', async () => {
  await relayWith({});
  const socket = createSocket('udp4');
  const port = portOver('udp');
  for (let i = 0; i < 200; i++) {
    const bytes = i % 2 ? randomBytes(1 + ((i * 37) % 1400)) : stunRequest(`${'x'.repeat(i)}\0/${i}`);
    await new Promise<void>((resolve) => socket.send(bytes, port, '127.0.0.1', () => resolve()));
  }
  socket.close();
  await joins('/webrtc-direct/');
});

it('WebSockets count by the address that a proxy tells', async () => {
  await relayWith({
    limits: { connectionsPerAddress: 2 },
    addressOf: ({ headers }) => String(headers['x-forwarded-for'] ?? ''),
  });
  const open = async (from: string) => {
    const socket = new WebSocket(`ws://127.0.0.1:${relay.port}/p2p`, {
      headers: { 'x-forwarded-for': from },
    });
    sockets.push(socket);
    socket.on('error', () => {});
    return new Promise<number | undefined>((resolve) => {
      socket.once('upgrade', ({ statusCode }) => resolve(statusCode));
      socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
    });
  };
  expect([await open('192.0.2.1'), await open('192.0.2.1'), await open('192.0.2.1')]).toEqual([
    101, 101, 503,
  ]);
  expect([await open('2001:db8::/64'), await open('2001:db8::2'), await open('2001:db8::3')]).toEqual([
    101, 101, 503,
  ]);
  expect(refusals).toEqual(['connections-per-address', 'connections-per-address']);
  // The proxy itself, when it says nothing, or nonsense, is not held for one visitor.
  for (let i = 0; i < 4; i++) expect(await open(i % 2 ? 'unknown' : '')).toBe(101);
  // A socket that was closed gives its place back.
  const first = sockets[0] as WebSocket;
  first.terminate();
  await once(first, 'close');
  let status: number | undefined;
  while (status !== 101) status = await open('192.0.2.1');
});

it('a stop ends in time, whoever is in the middle of something', async () => {
  await relayWith({});
  await joined('/webrtc-direct/');
  const peer = await createNodeSwarm({ relays: [addressOver('/tcp/')], dial: ['tcp'] });
  await peer.ready;
  const half = connect({ port: portOver('tcp'), host: '127.0.0.1' });
  half.on('error', () => {});
  sockets.push(half);
  await once(half, 'connect');
  const started = performance.now();
  await relay.swarm.close('the test says so');
  // Five seconds is the promise; a busy machine gets two more.
  expect(performance.now() - started).toBeLessThan(7_000);
  await peer.close('the test is over');
});

/** Type and length of MESSAGE-INTEGRITY; nobody can check it yet, but without one nobody looks. */
const INTEGRITY = Uint8Array.of(0, 8, 0, 20);

/** A binding request (RFC 8489) with a user name, as the first packet of webrtc-direct. */
function stunRequest(name = `libp2p+webrtc+v1/${randomBytes(16).toString('hex')}`): Uint8Array {
  const user = Buffer.from(`${name}:${name}`);
  const padded = Buffer.alloc(Math.ceil(user.length / 4) * 4);
  user.copy(padded);
  const header = Buffer.alloc(24);
  header.writeUInt16BE(0x0001, 0);
  header.writeUInt16BE(4 + padded.length + INTEGRITY.length + 20, 2);
  header.writeUInt32BE(0x2112a442, 4);
  randomBytes(12).copy(header, 8);
  header.writeUInt16BE(0x0006, 20);
  header.writeUInt16BE(user.length, 22);
  return Buffer.concat([header, padded, INTEGRITY, randomBytes(20)]);
}
