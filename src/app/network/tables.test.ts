import { expect, it } from 'vitest';
import type { MapPeer, NetworkSnapshot } from '../../sdk/early.ts';
import type { ThreadMessage } from '../chat/types.ts';
import { linkRows } from './link-rows.ts';
import { computedIn, tokensPerSecond } from './rate.ts';
import { lastRoute } from './route.ts';

const peer = (id: string, kind: MapPeer['kind']): MapPeer => ({ id, kind, layers: [], sessions: null });

it('the links of this tab come first, then those between others, then those of the relay', () => {
  const peers = [peer('relay', 'relay'), peer('b', 'host'), peer('c', 'host'), peer('me', 'self')];
  const links = [
    { from: 'relay', to: 'c', path: 'websocket' as const, roundTripMs: 8 },
    { from: 'c', to: 'b', path: 'relayed' as const, roundTripMs: null },
    { from: 'b', to: 'me', path: 'direct' as const, roundTripMs: 3 },
    { from: 'b', to: 'gone', path: 'direct' as const, roundTripMs: 3 },
    { from: 'relay', to: 'me', path: 'websocket' as const, roundTripMs: 2 },
  ];
  const own = [
    { peer: '12D3KooWlong-b', path: 'direct' as const, roundTripMs: 3, bytesIn: 10, bytesOut: 20 },
  ];
  const rows = linkRows({ peers, links }, [{ ...own[0]!, peer: 'b' }]);
  expect(rows.map(({ from, to, traffic }) => [from.id, to.id, traffic])).toEqual([
    ['me', 'b', { bytesIn: 10, bytesOut: 20 }],
    ['me', 'relay', null],
    ['b', 'c', null],
    ['c', 'relay', null],
  ]);
});

it('the way of the newest answer over the network begins and ends here', () => {
  const answer = (route: 'local' | 'network', hops: [string, string][]) =>
    ({
      happened: { route, hops: hops.map(([id, path]) => ({ peer: `12D3KooWLong${id}`, path })) },
    }) as unknown as ThreadMessage;
  const question = { happened: null } as ThreadMessage;
  const messages = [
    question,
    answer('network', [['OLDhostX', 'direct']]),
    question,
    answer('network', [
      ['HOSTaaaa', 'direct'],
      ['SELFself', 'local'],
      ['HOSTbbbb', 'relayed'],
    ]),
    question,
    answer('local', []),
  ];
  expect(lastRoute(messages, 'SELFself')).toEqual([
    'SELFself',
    'HOSTaaaa',
    'SELFself',
    'HOSTbbbb',
    'SELFself',
  ]);
  expect(lastRoute([question], 'SELFself')).toEqual([]);
  expect(lastRoute(messages, null)).toEqual([]);
});

it('tokens a second are what the slices computed, each by its share of the layers', () => {
  const look = (positions: [number, number]) =>
    ({
      peers: positions.map((done, i) => ({
        peer: `p${i}`,
        offers: [{ cid: 'm', start: 2 + i * 4, end: 6 + i * 4, positions: done }],
      })),
      coverage: [{ cid: 'm', layers: new Array(10), clientLayers: 2 }],
    }) as unknown as NetworkSnapshot;
  const before = computedIn(look([100, 500]), 1_000);
  expect(tokensPerSecond(null, before)).toBeNull();
  expect(tokensPerSecond(before, computedIn(look([120, 520]), 3_000))).toBe(10);
  expect(tokensPerSecond(before, computedIn(look([100, 500]), 2_000))).toBe(0);
  expect(tokensPerSecond(before, computedIn(look([0, 510]), 2_000)), 'loaded anew').toBe(5);
});
