import { expect, it } from 'vitest';
import type { LinkReport } from '../../wire/index.ts';
import type { Greeted } from './greet.ts';
import { linksOfOthers } from './links-of-others.ts';

function says(peer: string, ...links: LinkReport[]): Greeted {
  const hello = { kind: 'hello' as const, peer_id: '00'.repeat(32), proto_ver: 1, supported_quants: [] };
  return { peer, hello: { ...hello, links } };
}

const link = (peer: string, round_trip_ms: number | null = null): LinkReport => ({
  peer,
  path: 'direct',
  round_trip_ms,
});

it('a link that both of its ends tell of is one link, with the round trip that either measured', () => {
  const links = linksOfOthers('me', [says('b', link('a'), link('c', 9)), says('a', link('b', 4))]);
  expect(links).toEqual([
    { from: 'a', to: 'b', path: 'direct', roundTripMs: 4 },
    { from: 'b', to: 'c', path: 'direct', roundTripMs: 9 },
  ]);
});

it('one end is enough: the other may not answer, or not have been asked', () => {
  expect(linksOfOthers('me', [says('a', link('client', 3))])).toHaveLength(1);
});

it('nobody is believed about the links of this very peer, or about one to oneself', () => {
  expect(linksOfOthers('me', [says('a', link('me', 1), link('a', 1))])).toEqual([]);
});

it('the order does not depend on who answers first', () => {
  const hellos = [says('c', link('a', 1)), says('b', link('a', 1)), says('d', link('b', 1))];
  expect(linksOfOthers('me', hellos)).toEqual(linksOfOthers('me', [...hellos].reverse()));
});

it('peers that make up links do not fill the memory', () => {
  const crowd = (name: string) => Array.from({ length: 64 }, (_, i) => link(`${name}x${i}`));
  const liars = Array.from({ length: 64 }, (_, i) => says(`liar${i}`, ...crowd(`${i}`)));
  expect(linksOfOthers('me', liars)).toHaveLength(256);
});
