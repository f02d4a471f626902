import { describe, expect, it } from 'vitest';
import { SimDirectory } from './directory.ts';
import { Network } from './network.ts';
import { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';

function world(bandwidth = 1000, highWater = 1000) {
  const scheduler = new Scheduler(1);
  const shape = () => ({ latencyMs: 10, bandwidth, jitterMs: 8, highWater });
  const network = new Network(scheduler, new Random(1), shape);
  const seen: string[] = [];
  const join = (name: string) => {
    const peer = network.join(name);
    peer.listen({
      frame: (from, bytes) => void seen.push(`${from}>${name} ${bytes[0]}`),
      gone: (lost) => void seen.push(`${name} lost ${lost}`),
    });
    return peer;
  };
  const wait = async (ms: number) => {
    await scheduler.run(() => false, scheduler.now + ms);
    return seen.splice(0);
  };
  return { scheduler, network, join, wait };
}

const frame = (id: number, bytes = 1) => Uint8Array.from({ length: 4 + bytes }, (_, i) => (i === 4 ? id : 0));
const to = (peer: string) => ({ peer, addrs: [] });

describe('the simulated network', () => {
  it('keeps the order of frames from one peer to another, from the dial on', async () => {
    const { join, wait } = world();
    const a = join('a');
    join('b');
    for (let i = 0; i < 20; i++) void a.send(to('b'), frame(i));
    void a.send(to('a'), frame(99));
    expect(await wait(500)).toEqual(['a>a 99', ...Array.from({ length: 20 }, (_, i) => `a>b ${i}`)]);
  });

  it('tells of a loss once, in the time that the death takes, and refuses what is sent after', async () => {
    const { network, join, wait } = world();
    const a = join('a');
    for (const peer of ['b', 'c']) {
      join(peer);
      await Promise.all([a.send(to(peer), frame(1)), wait(200)]);
    }
    network.kill('b', 'crash');
    expect(await wait(15)).toEqual([]);
    expect(await wait(5000)).toEqual(['a lost b']);
    network.kill('c', 'silent');
    expect(await wait(900)).toEqual([]);
    // Nobody knows yet: it is taken, and lost.
    await Promise.all([a.send(to('c'), frame(2)), wait(50)]);
    expect(await wait(5000)).toEqual(['a lost c']);
    const refused = a.send(to('c'), frame(3)).catch((error: Error) => error.message);
    await wait(9000);
    expect(await refused).toContain('does not answer');
  });

  it('holds a sender whose reader is slow, and lets it go with an error when the link ends', async () => {
    const { network, join, wait } = world(1, 1000);
    const a = join('a');
    join('b');
    let sent = 0;
    let failed = 0;
    const count = () => {
      sent++;
    };
    const fail = () => {
      failed++;
    };
    for (let i = 0; i < 10; i++) a.send(to('b'), frame(i, 496)).then(count, fail);
    await wait(600);
    expect(sent).toBeGreaterThan(1);
    expect(sent).toBeLessThan(5);
    network.breakLink('a', 'b', 'closed');
    await wait(1000);
    expect(failed).toBe(10 - sent);
    expect(a.held).toBe(0);
  });

  it('loses one way of a half-open link, until a ping is missed', async () => {
    const { network, join, wait } = world();
    const a = join('a');
    const b = join('b');
    await Promise.all([a.send(to('b'), frame(1)), wait(300)]);
    network.breakLink('a', 'b', 'half-open');
    await Promise.all([a.send(to('b'), frame(2)), b.send(to('a'), frame(3)), wait(900)]);
    const later = await wait(4000);
    expect(later.sort()).toEqual(['a lost b', 'b lost a']);
  });

  it('lets a frozen peer find everything when it wakes up', async () => {
    const { network, join, wait } = world();
    const a = join('a');
    join('b');
    await Promise.all([a.send(to('b'), frame(1)), wait(300)]);
    network.freeze('b', 8000);
    await Promise.all([a.send(to('b'), frame(2)), wait(900)]);
    expect(await wait(4000)).toEqual(['a lost b']);
    expect(await wait(9000)).toEqual(['a>b 2', 'b lost a']);
  });
});

describe('the simulated directory', () => {
  it('finds who holds any layer of the range, forgets the dead, and keeps stale records when told', async () => {
    const { scheduler, network, join, wait } = world();
    const alive = (peer: string) => network.alive(peer);
    const directory = new SimDirectory(scheduler, new Random(1), alive);
    const model = { cid: 'm', layers: 16 };
    const peers = ['a', 'b', 'c'].map((name) => ({ name, directory: directory.of(join(name).actor) }));
    const ranges = [
      { start: 0, end: 8 },
      { start: 8, end: 16 },
      { start: 5, end: 6 },
    ];
    for (const [i, peer] of peers.entries()) void peer.directory.announce({ ...model, ...ranges[i]! });
    await wait(200);
    const ask = async (start: number, end: number) => {
      const found = peers[0]!.directory.holders(model, { start, end });
      await wait(200);
      return (await found).map(({ peer }) => peer).sort();
    };
    expect(await ask(0, 16)).toEqual(['a', 'b', 'c']);
    expect(await ask(5, 6)).toEqual(['a', 'c']);
    network.kill('b', 'crash');
    expect(await ask(8, 16)).toEqual(['b']);
    expect(directory.staleAnswers).toBe(1);
    directory.purge('b');
    expect(await ask(8, 16)).toEqual([]);
    await wait(1_800_000);
    expect(await ask(0, 8)).toEqual([]);
  });
});
