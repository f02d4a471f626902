import { expect, test } from 'vitest';
import type { ModelEntry, NetworkSnapshot } from '../../sdk/early.ts';
import { coveredBy, keptOf } from './model-facts.ts';

const ENTRY: ModelEntry = {
  id: 'm',
  cid: 'bafy',
  name: 'M',
  layers: 6,
  bytes: 100,
  cached: false,
  kept: 0,
  license: null,
  origin: 'relay',
  contextTokens: null,
  fit: null,
};

function network(holders: readonly number[], state: NetworkSnapshot['state'] = 'online'): NetworkSnapshot {
  const layers = holders.map((count, layer) => ({ layer, holders: Array(count).fill('peer') as string[] }));
  return {
    state,
    relay: 'connected',
    self: null,
    peers: [],
    links: [],
    linksOfOthers: [],
    relays: [],
    coverage: [{ cid: 'bafy', model: 'M', layers, clientLayers: 2, missing: [] }],
    sessionsServed: 0,
    error: null,
  };
}

test('a model is told as kept whole, in part, or not at all', () => {
  expect(keptOf(ENTRY)).toBe('none');
  expect(keptOf({ ...ENTRY, kept: 5 })).toBe('part');
  expect(keptOf({ ...ENTRY, kept: 100, cached: true })).toBe('whole');
});

test('in private mode the first layers are the client’s own, in light mode others must hold them', () => {
  const front = network([0, 0, 1, 2, 1, 1]);
  expect(coveredBy('bafy', front, 'private')).toEqual({ kind: 'whole', held: 4, of: 4 });
  expect(coveredBy('bafy', front, 'light')).toEqual({ kind: 'part', held: 4, of: 6 });
  expect(coveredBy('bafy', network([0, 0, 0, 1, 0, 1]), 'private')).toEqual({ kind: 'part', held: 2, of: 4 });
  expect(coveredBy('bafy', network([1, 1, 0, 0, 0, 0]), 'private').kind).toBe('none');
});

test('nothing is said about coverage before the network was asked, or when it is gone', () => {
  expect(coveredBy('bafy', network([], 'off'), 'private')).toEqual({ kind: 'asking' });
  expect(coveredBy('bafy', network([], 'joining'), 'private')).toEqual({ kind: 'asking' });
  expect(coveredBy('bafy', network([], 'offline'), 'private')).toEqual({ kind: 'offline' });
  expect(coveredBy('another', network([1, 1, 1, 1, 1, 1]), 'private').kind).toBe('none');
});
