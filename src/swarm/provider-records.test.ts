import { expect, it } from 'vitest';
import { ProviderRecords } from './provider-records.ts';

function records(options: { perPeer?: number; total?: number } = {}) {
  const time = { now: 0 };
  return { time, store: new ProviderRecords({ now: () => time.now, validityMs: 1000, ...options }) };
}

it('an expired record never appears, and one published anew lives on', () => {
  const { time, store } = records();
  store.add('key', 'a', ['/x']);
  store.add('key', 'b', ['/y']);
  time.now = 600;
  store.add('key', 'a', ['/z']);
  time.now = 1000;
  expect(store.get('key')).toEqual([{ peer: 'a', addrs: ['/z'] }]);
  expect(store.size).toBe(1);
  time.now = 1600;
  expect(store.get('key')).toEqual([]);
  expect(store.size).toBe(0);
});

it('a gone peer’s records go, and nobody else’s', () => {
  const { store } = records();
  for (const key of ['k1', 'k2', 'k3']) for (const peer of ['a', 'b']) store.add(key, peer, ['/x']);
  store.removePeer('a');
  for (const key of ['k1', 'k2', 'k3']) expect(store.get(key).map(({ peer }) => peer)).toEqual(['b']);
  expect(store.size).toBe(3);
});

it('nobody fills the memory: neither one peer nor all together', () => {
  const { time, store } = records({ perPeer: 3, total: 5 });
  const added = (peer: string) => [1, 2, 3, 4].filter((key) => store.add(`k${key}`, peer, ['/x'])).length;
  expect(added('a')).toBe(3);
  expect(added('b')).toBe(2);
  expect(added('c')).toBe(0);
  // The same record again is no new one.
  expect(store.add('k1', 'a', ['/y'])).toBe(true);
  time.now = 2000;
  expect(added('c')).toBe(3);
});

it('an answer has the freshest providers, and not more than it can hold', () => {
  const { time, store } = records();
  for (let i = 0; i < 100; i++) {
    time.now = i;
    store.add('key', `peer ${i}`, ['/x']);
  }
  const answer = store.get('key');
  expect(answer).toHaveLength(64);
  expect(answer[0]!.peer).toBe('peer 99');
});

it('the own record lives until it is withdrawn', () => {
  const { time, store } = records();
  store.add('key', 'self', [], 'always');
  time.now = 1e9;
  store.sweep();
  expect(store.get('key')).toEqual([{ peer: 'self', addrs: [] }]);
  store.remove('key', 'self');
  expect(store.size).toBe(0);
});
