import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNodeSwarm } from './node.ts';
import type { Swarm } from './swarm.ts';
import { frameOf, Heard, startRelay, type TestRelay } from './testing/relay.ts';

let relay: TestRelay;
const open: Swarm[] = [];

async function peer(): Promise<Swarm> {
  const swarm = await createNodeSwarm({ relays: [relay.address] });
  open.push(swarm);
  await swarm.ready;
  return swarm;
}

beforeEach(async () => {
  relay = await startRelay();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((swarm) => swarm.close('the test is over')));
  await relay.stop();
});

describe('frames', () => {
  it('keep their order, through a relay and back, whatever their size', async () => {
    const [a, b] = [await peer(), await peer()];
    const [atA, atB] = [new Heard(a.transport), new Heard(b.transport)];
    const sizes = [1, 1200, 70_000, 5, 300_000, 16_000, 2];
    await Promise.all(
      sizes.map((size, i) =>
        a.transport.send({ peer: b.peer, addrs: b.transport.addresses() }, frameOf(size, i)),
      ),
    );
    await atB.when(({ frames }) => frames.length === sizes.length);
    expect(atB.frames.map(({ bytes }) => bytes.length)).toEqual(sizes);
    expect(atB.frames.map(({ bytes }) => bytes[0])).toEqual(sizes.map((_, i) => i));
    expect(new Set(atB.frames.map(({ from }) => from))).toEqual(new Set([a.peer]));
    // The answer needs no address: there is a link.
    await b.transport.send({ peer: a.peer, addrs: [] }, frameOf(9, 9));
    await atA.when(({ frames }) => frames.length === 1);
    expect(a.transport.link(b.peer)).toMatchObject({ path: 'relayed', bytesIn: 13 });
    expect(a.transport.link(relay.swarm.peer)).toBeNull();
  });

  it('of the largest size arrive whole, both ways between a peer and the relay', async () => {
    const a = await peer();
    const [atA, atRelay] = [new Heard(a.transport), new Heard(relay.swarm.transport)];
    const largest = frameOf(16 * 1024 * 1024, 7);
    await a.transport.send({ peer: relay.swarm.peer, addrs: [] }, largest);
    await atRelay.when(({ frames }) => frames.length === 1);
    await relay.swarm.transport.send({ peer: a.peer, addrs: [] }, largest);
    await atA.when(({ frames }) => frames.length === 1);
    for (const heard of [atA, atRelay]) {
      expect(heard.frames[0]!.bytes.length).toBe(16 * 1024 * 1024);
      expect(heard.frames[0]!.bytes.every((byte) => byte === 7)).toBe(true);
    }
    expect(a.transport.link(relay.swarm.peer)!.path).toBe('websocket');
    expect(relay.swarm.transport.link(a.peer)!.path).toBe('websocket');
    expect(relay.swarm.transport.link(a.peer)!.roundTripMs).toBeGreaterThan(0);
  });

  it('to this very peer come back in a later task', async () => {
    const a = await peer();
    const heard = new Heard(a.transport);
    const sent = a.transport.send({ peer: a.peer, addrs: [] }, frameOf(3, 5));
    expect(heard.frames).toHaveLength(0);
    await sent;
    expect(heard.frames).toEqual([{ from: a.peer, bytes: new Uint8Array([5, 5, 5]) }]);
    expect(a.transport.link(a.peer)!.path).toBe('local');
  });

  it('that are too large, or to nobody, or no longer wanted, are refused by name', async () => {
    const a = await peer();
    const to = { peer: relay.swarm.peer, addrs: [] };
    await expect(a.transport.send(to, frameOf(16 * 1024 * 1024 + 1))).rejects.toMatchObject({
      code: 'too-large',
    });
    await expect(a.transport.send(to, frameOf(5).subarray(0, 8))).rejects.toMatchObject({
      code: 'too-large',
    });
    await expect(a.transport.send(to, frameOf(5), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    const stranger = '12D3KooWGRUtnaDXyDVbUTsQd4LkGbVXGzBzqfSGrKJcNeQ5g8hR';
    for (const peer of [stranger, 'nobody', ''])
      await expect(a.transport.send({ peer, addrs: [] }, frameOf(5))).rejects.toMatchObject({
        code: 'unreachable',
      });
    expect(a.transport.links()).toEqual([]);
  });

  it('cannot be sent any more once the network is closed', async () => {
    const a = await peer();
    await a.close('enough');
    await expect(a.transport.send({ peer: relay.swarm.peer, addrs: [] }, frameOf(5))).rejects.toMatchObject({
      code: 'closed',
    });
  });
});

describe('a peer that goes away', () => {
  it('is told of once, at once, at every peer that it was linked with', async () => {
    const [a, b] = [await peer(), await peer()];
    const [atB, atRelay] = [new Heard(b.transport), new Heard(relay.swarm.transport)];
    await a.transport.send({ peer: b.peer, addrs: b.transport.addresses() }, frameOf(1));
    await a.transport.send({ peer: relay.swarm.peer, addrs: [] }, frameOf(1));
    await Promise.all([
      atB.when((it) => it.frames.length === 1),
      atRelay.when((it) => it.frames.length === 1),
    ]);
    await a.close('the tab was closed');
    await Promise.all([atB, atRelay].map((heard) => heard.when((it) => it.losses.length > 0)));
    for (const heard of [atB, atRelay]) expect(heard.losses.map(({ peer }) => peer)).toEqual([a.peer]);
    expect(b.transport.link(a.peer)).toBeNull();
    await expect(b.transport.send({ peer: a.peer, addrs: [] }, frameOf(1))).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  it('can come back, and is linked anew', async () => {
    const a = await peer();
    const atRelay = new Heard(relay.swarm.transport);
    const atA = new Heard(a.transport);
    await a.transport.send({ peer: relay.swarm.peer, addrs: [] }, frameOf(1, 1));
    await atRelay.when((it) => it.frames.length === 1);
    relay.breakConnections();
    await Promise.all([
      atA.when((it) => it.losses.length === 1),
      atRelay.when((it) => it.losses.length === 1),
    ]);
    await new Promise<void>((resolve) => {
      const end = a.subscribe(({ relay: state }) => {
        if (state !== 'connected') return;
        end();
        resolve();
      });
    });
    await a.transport.send({ peer: relay.swarm.peer, addrs: [] }, frameOf(1, 2));
    await atRelay.when((it) => it.frames.length === 2);
    expect(atRelay.frames[1]!.bytes[0]).toBe(2);
    expect(atRelay.losses).toHaveLength(1);
  });
});
