import { expect, it } from 'vitest';
import { StateChanges } from './live-changes.ts';
import type { NetworkState } from './network-state.ts';
import { stateOf } from './testing/state.ts';

const link = (i: number, ms: number) => ({
  from: `from${i}`,
  to: `to${i}`,
  path: 'direct',
  round_trip_ms: ms,
});

type Held = Record<string, unknown>;

/** A watcher that holds the state by what it is told. */
function follow(held: Held, told: Held | null): Held {
  const { lists = {}, ...parts } = (told ?? {}) as {
    lists?: Record<string, { put: unknown[]; gone: string[] }>;
  };
  const next: Held = { ...held, ...parts };
  const keyOf = (item: unknown) =>
    typeof item === 'string'
      ? item
      : (Reflect.get(item as object, 'peer') ??
        Object.values(item as object)
          .slice(0, 2)
          .join(' '));
  for (const [name, { put, gone }] of Object.entries(lists)) {
    const items = new Map((next[name] as unknown[]).map((item) => [keyOf(item), item]));
    for (const key of gone) items.delete(key);
    for (const item of put) items.set(keyOf(item), item);
    next[name] = [...items.values()];
  }
  return next;
}

const sorted = (state: unknown) =>
  JSON.stringify(state, (_, value) =>
    Array.isArray(value) ? value.map((one) => JSON.stringify(one)).sort() : value,
  );

it('a long list is told by what changed in it, and who follows has the whole state', () => {
  const changes = new StateChanges();
  const links = Array.from({ length: 400 }, (_, i) => link(i, i));
  let state: NetworkState = stateOf({ links });
  changes.next(state);
  let held: Held = { ...state };
  const steps: Partial<NetworkState>[] = [
    { links: [...links.slice(3, 300), ...links.slice(301), link(7_000, 1)] },
    { links: [...links.slice(3, 200), link(200, 999), ...links.slice(201)] },
    { clients: Array.from({ length: 3_000 }, (_, i) => `client${i}`) },
    { clients: Array.from({ length: 3_000 }, (_, i) => `client${i + 1}`) },
    { links: links.slice(0, 5) },
    { links: links.slice(1, 6), peers: { total: 1, hosting: 0, by_path: {} } },
  ];
  const bytes: number[] = [];
  for (const step of steps) {
    state = { ...state, ...step };
    const told = changes.next(state);
    bytes.push(JSON.stringify(told).length);
    held = follow(held, told);
    expect(sorted(held)).toBe(sorted(state));
  }
  expect(bytes[0], 'not the whole list').toBeLessThan(500);
  expect(bytes[3]).toBeLessThan(200);
});

it('a short list is told whole, so that Object.assign is enough in a small network', () => {
  const changes = new StateChanges();
  changes.next(stateOf());
  const links = [link(1, 1), link(2, 2)];
  expect(changes.next(stateOf({ links }))).toEqual({ links });
  expect(changes.next(stateOf({ links }))).toBeNull();
  expect(changes.next(stateOf({ links, at: '2027-01-01T00:00:00.000Z' })), 'the time alone').toBeNull();
});
