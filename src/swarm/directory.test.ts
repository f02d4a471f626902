import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { createNodeSwarm } from './node.ts';
import type { Swarm, SwarmStatus } from './swarm.ts';
import { startRelay, type TestRelay } from './testing/relay.ts';

const MODEL = { cid: 'bafkreitest', layers: 30 };
const slice = (start: number, end: number) => ({ ...MODEL, start, end });

let relay: TestRelay;
const open: Swarm[] = [];

async function peer(): Promise<Swarm> {
  const swarm = await createNodeSwarm({ relays: [relay.address] });
  open.push(swarm);
  await swarm.ready;
  return swarm;
}

const found = async ({ directory }: Swarm, start: number, end: number) =>
  (await directory.holders(MODEL, { start, end })).map(({ peer }) => peer).sort();

/** Resolves at the next status that is like that. */
function status(swarm: Swarm, like: (status: SwarmStatus) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const end = swarm.subscribe((now) => {
      if (!like(now)) return;
      end();
      resolve();
    });
  });
}

beforeEach(async () => {
  relay = await startRelay();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((swarm) => swarm.close('the test is over')));
  await relay.stop();
});

describe('a slice that was announced', () => {
  it('is found by a peer that was never told of it, with addresses that work', async () => {
    const [host, client] = [await peer(), await peer()];
    await host.directory.announce(slice(10, 20));
    const holders = await client.directory.holders(MODEL, { start: 8, end: 14 });
    expect(holders).toEqual([{ peer: host.peer, addrs: host.transport.addresses() }]);
    const frame = Uint8Array.of(0, 0, 0, 1, 42);
    await client.transport.send(holders[0]!, frame);
    expect(await found(client, 20, 30)).toEqual([]);
    expect(await client.directory.holders({ cid: 'another', layers: 30 }, { start: 8, end: 14 })).toEqual([]);
  });

  it('is found once by name, whatever cells it covers, and beside others’ and the relay’s', async () => {
    const [a, b, client] = [await peer(), await peer(), await peer()];
    await Promise.all([
      a.directory.announce(slice(0, 30)),
      b.directory.announce(slice(4, 12)),
      relay.swarm.directory.announce(slice(0, 30)),
    ]);
    expect(await found(client, 4, 12)).toEqual([a.peer, b.peer, relay.swarm.peer].sort());
    expect(await found(relay.swarm, 4, 12)).toEqual([a.peer, b.peer, relay.swarm.peer].sort());
    expect(await found(a, 24, 28)).toEqual([a.peer, relay.swarm.peer].sort());
  });

  it('is withdrawn while its host stays, and what it shares with another slice is kept', async () => {
    const [host, client] = [await peer(), await peer()];
    await host.directory.announce(slice(0, 16));
    await host.directory.announce(slice(8, 30));
    await host.directory.withdraw(slice(0, 16));
    expect(await found(client, 0, 4)).toEqual([]);
    expect(await found(client, 8, 12)).toEqual([host.peer]);
    await relay.swarm.directory.announce(slice(0, 30));
    await relay.swarm.directory.withdraw(slice(0, 30));
    expect(await found(client, 0, 30)).toEqual([host.peer]);
  });

  it('is forgotten when its host disconnects', async () => {
    const [host, client] = [await peer(), await peer()];
    await host.directory.announce(slice(0, 30));
    expect(await found(client, 0, 30)).toEqual([host.peer]);
    expect(relay.swarm.counts()).toMatchObject({ peers: 2, reservations: 2 });
    await host.close('the tab was closed');
    // The relay has not seen the close yet.
    while (relay.swarm.counts().peers > 1) await found(client, 0, 30);
    // With the peer its records are gone, not at some later sweep.
    expect(relay.swarm.counts()).toMatchObject({ peers: 1, reservations: 1, records: 0 });
    expect(await found(client, 0, 30)).toEqual([]);
  });

  it('never appears when it expired, and appears again when its host publishes it again', async () => {
    await relay.stop();
    let now = 0;
    relay = await startRelay({ clock: { ...systemClock, now: () => now } });
    const join = (reprovideMs: number) =>
      createNodeSwarm({ relays: [relay.address], records: { reprovideMs } });
    const [host, still] = await Promise.all([join(500), join(1e6)]);
    open.push(host, still);
    await Promise.all([host.directory.announce(slice(0, 30)), still.directory.announce(slice(0, 30))]);
    const client = await peer();
    expect(await found(client, 0, 30)).toEqual([host.peer, still.peer].sort());
    now += 1_800_001;
    const seen = new Set<string>();
    while (seen.size === 0) for (const one of await found(client, 0, 30)) seen.add(one);
    expect([...seen]).toEqual([host.peer]);
  });
});

describe('a relay that is restarted', () => {
  it('with its identity from the data folder is joined again, and knows every slice again', async () => {
    const { mkdtemp, rm, stat, writeFile } = await import('node:fs/promises');
    const { tmpdir } = await import('node:os');
    const { join } = await import('node:path');
    const dataFolder = await mkdtemp(join(tmpdir(), 'shoal-'));
    try {
      await relay.stop();
      relay = await startRelay({ dataFolder });
      const { peer: identity } = relay.swarm;
      const file = join(dataFolder, 'relay.key');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const [host, client] = [await peer(), await peer()];
      await host.directory.announce(slice(0, 30));

      const lost = [host, client].map((one) => status(one, ({ relay: state }) => state !== 'connected'));
      const { port } = relay;
      relay.breakConnections();
      await relay.stop();
      await Promise.all(lost);
      const back = [host, client].map((one) => status(one, ({ relay: state }) => state === 'connected'));
      const started = performance.now();
      relay = await startRelay({ dataFolder, port });
      expect(relay.swarm.peer).toBe(identity);
      await Promise.all(back);
      while ((await found(client, 0, 30)).length === 0) {
        // The host publishes it as soon as it is reachable again.
      }
      expect(performance.now() - started).toBeLessThan(10_000);

      await relay.stop();
      await writeFile(file, 'no key at all');
      await expect(startRelay({ dataFolder })).rejects.toMatchObject({ code: 'bad-identity' });
      relay = await startRelay();
    } finally {
      await rm(dataFolder, { recursive: true });
    }
  });
});

it('without a relay, announcing fails by name, and nobody is found', async () => {
  const { address } = relay;
  await relay.stop();
  const swarm = await createNodeSwarm({ relays: [address] });
  open.push(swarm);
  await Promise.all([
    expect(swarm.directory.announce(slice(0, 30))).rejects.toMatchObject({ code: 'no-relay' }),
    expect(swarm.directory.holders(MODEL, { start: 0, end: 30 })).resolves.toEqual([]),
  ]);
  expect(swarm.status()).toMatchObject({ relay: 'gone', addresses: [] });
  await swarm.close('enough');
  await expect(swarm.ready).rejects.toMatchObject({ code: 'closed' });
  relay = await startRelay();
});
