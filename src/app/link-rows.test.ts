import { expect, it } from 'vitest';
import { linkRows } from './link-rows.ts';

const own = { bytesIn: 10, bytesOut: 20, roundTripMs: 3 };

it('the links of this tab come first, and each row says who is at either end', () => {
  const links = [
    { peer: 'b', path: 'direct' as const, ...own },
    { peer: 'gone', path: 'none' as const, ...own },
    { peer: 'me', path: 'local' as const, ...own },
  ];
  const linksOfOthers = [
    { from: 'b', to: 'c', path: 'relayed' as const, roundTripMs: null },
    { from: 'relay', to: 'zoe', path: 'websocket' as const, roundTripMs: 8 },
  ];
  expect(linkRows({ links, linksOfOthers }, { own: 'me', relays: ['relay'] })).toEqual([
    { from: 'me', to: 'b', path: 'direct', roundTripMs: 3, traffic: { bytesIn: 10, bytesOut: 20 } },
    { from: 'b', to: 'c', path: 'relayed', roundTripMs: null, traffic: null },
    { from: 'zoe', to: 'relay', path: 'websocket', roundTripMs: 8, traffic: null },
  ]);
});
