import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LevelDatastore } from 'datastore-level';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createNodeSwarm } from './node.ts';
import { ProviderRecords } from './provider-records.ts';
import type { RelaySwarmOptions } from './relay-swarm.ts';
import { openStoredRecords } from './stored-records.ts';
import { startRelay, type TestRelay } from './testing/relay.ts';
import type { Clock } from './types.ts';

// Several whole nodes and their handshakes, on a machine that may be busy with others.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

const MODEL = { cid: 'bafkreitest', layers: 30 };
const PEER = '12D3KooWLxC9RjezQ5TpUKBCKpJnakGqgGoSoGjSKpTwt6SNEHSM';
const ADDRESS = `/ip4/198.51.100.7/tcp/1/ws/p2p/${PEER}`;

let folder: string;
const relays: TestRelay[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-'));
});
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
  await rm(folder, { recursive: true, force: true });
});

const warnings: string[] = [];
async function relayOnDisk(options: Partial<RelaySwarmOptions> & { port?: number } = {}): Promise<TestRelay> {
  const warn = (message: string) => void warnings.push(message);
  const relay = await startRelay({ dataFolder: folder, datastore: true, warn, ...options });
  relays.push(relay);
  return relay;
}

/** Time that stands until it is moved. */
class Hand implements Clock {
  #now = 0;
  readonly #due: { at: number; run: () => void }[] = [];
  now = () => this.#now;
  after(ms: number, run: () => void): () => void {
    const one = { at: this.#now + ms, run };
    this.#due.push(one);
    return () => void this.#due.splice(this.#due.indexOf(one), 1);
  }
  move(ms: number): void {
    this.#now += ms;
    for (const one of [...this.#due]) if (one.at <= this.#now) one.run();
  }
}

it('a folder is used by one relay at a time, and who comes second is told what to do', async () => {
  await relayOnDisk();
  await expect(relayOnDisk()).rejects.toMatchObject({
    code: 'data-in-use',
    message: expect.stringContaining('data folder of its own'),
  });
});

it('records are there again after a restart, until it is clear that their host is not', async () => {
  const first = await relayOnDisk();
  const host = await createNodeSwarm({ relays: [first.address] });
  try {
    await host.ready;
    await host.directory.announce({ ...MODEL, start: 8, end: 22 });
  } finally {
    const records = first.swarm.counts().records;
    expect(records).toBeGreaterThan(0);
    // In good order, which must not delete what it keeps.
    await relays.pop()!.stop();
    await host.close('the host does not come back');
  }
  const clock = new Hand();
  const second = await relayOnDisk({ clock });
  const holders = () => second.swarm.directory.holders(MODEL, { start: 8, end: 22 });
  expect((await holders()).map(({ peer }) => peer)).toEqual([host.peer]);
  await second.swarm.directory.announce({ ...MODEL, start: 0, end: 30 });
  clock.move(29_999);
  expect((await holders()).map(({ peer }) => peer).sort()).toEqual([host.peer, second.swarm.peer].sort());
  clock.move(1);
  expect((await holders()).map(({ peer }) => peer)).toEqual([second.swarm.peer]);
  await relays.pop()!.stop();
  // Gone from the disk too; and the relay's own were never there.
  expect((await relayOnDisk()).swarm.counts().records).toBe(0);
  expect(warnings.splice(0)).toEqual([]);
});

it('a host that came back keeps its records', async () => {
  const first = await relayOnDisk();
  const host = await createNodeSwarm({ relays: [first.address] });
  try {
    await host.ready;
    await host.directory.announce({ ...MODEL, start: 8, end: 22 });
    const { port } = first;
    await relays.pop()!.stop();
    const clock = new Hand();
    const back = new Promise<void>((resolve) => {
      host.subscribe(({ relay }) => {
        if (relay === 'connected') resolve();
      });
    });
    const second = await relayOnDisk({ clock, port });
    await back;
    clock.move(30_000);
    const holders = await second.swarm.directory.holders(MODEL, { start: 8, end: 22 });
    expect(holders.map(({ peer }) => peer)).toEqual([host.peer]);
  } finally {
    await host.close('the test is over');
  }
});

it('a damaged store is kept aside and told of, and the relay starts', async () => {
  const { peer } = (await relayOnDisk()).swarm;
  const damages: [string, RegExp][] = [
    ['CURRENT', /^CURRENT$/],
    ['the manifest', /^MANIFEST/],
  ];
  for (const [i, [, name]] of damages.entries()) {
    await relays.pop()!.stop();
    const files = (await readdir(join(folder, 'datastore'))).filter((file) => name.test(file));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) await writeFile(join(folder, 'datastore', file), 'nonsense without an end');
    const relay = await relayOnDisk();
    expect(relay.swarm.peer).toBe(peer);
    expect(warnings.splice(0)).toEqual([expect.stringContaining('damaged')]);
    const aside = (await readdir(folder)).filter((file) => /^datastore\.\d{4}-\d\d-\d\dT/.test(file));
    expect(aside).toHaveLength(i + 1);
  }
});

it('what strangers’ bytes are on the disk is deleted, and the rest is read', async () => {
  const store = new LevelDatastore(join(folder, 'datastore'));
  await store.open();
  const live = { addrs: [ADDRESS], expires: Date.now() + 60_000 };
  const good = `/shoal/provider/1e20${'ab'.repeat(32)}/${PEER}`;
  const text = (value: unknown) => Buffer.from(JSON.stringify(value));
  await store.db.batch([
    { type: 'put', key: good, value: text(live) },
    { type: 'put', key: `/shoal/provider/1e21/${PEER}`, value: Buffer.from([0xff, 0x00]) },
    { type: 'put', key: `/shoal/provider/1e22/${PEER}`, value: text({ ...live, expires: Date.now() - 1 }) },
    { type: 'put', key: `/shoal/provider/1e23/${PEER}`, value: text({ ...live, addrs: ['/nonsense'] }) },
    {
      type: 'put',
      key: `/shoal/provider/1e24/${PEER}`,
      value: text({ ...live, addrs: Array(2000).fill(ADDRESS) }),
    },
    { type: 'put', key: '/shoal/provider/1e25/nobody', value: text(live) },
    { type: 'put', key: '/another/entry', value: text(live) },
  ]);
  await store.close();
  const records = new ProviderRecords({ now: () => 0 });
  const warn = (message: string) => {
    throw new Error(message);
  };
  const opened = await openStoredRecords(join(folder, 'datastore'), { records, warn });
  expect(records.get(`1e20${'ab'.repeat(32)}`)).toEqual([{ peer: PEER, addrs: [ADDRESS] }]);
  expect(records.size).toBe(1);
  // A later state of a record is the one that stays, however fast they come.
  records.add('1e26', PEER, [ADDRESS]);
  records.remove('1e26', PEER);
  records.add('1e27', PEER, [ADDRESS]);
  await opened.stored.close();
  const keys: string[] = [];
  for await (const key of opened.store.db.keys()) keys.push(key);
  expect(keys.sort()).toEqual(['/another/entry', good, `/shoal/provider/1e27/${PEER}`].sort());
  await opened.store.close();
});
