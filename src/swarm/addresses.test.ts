import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import { checkedAddresses, pathOf } from './addresses.ts';
import { connectionGater, outerOr, Refused } from './gater.ts';
import { relayAddress } from './relay-address.ts';

const RELAY = '12D3KooWEU3Ekq7QWNjLJBeAxjFfrtw6UqPox2zvb5GR8NQNGR5z';
const PEER = '12D3KooWLxC9RjezQ5TpUKBCKpJnakGqgGoSoGjSKpTwt6SNEHSM';

describe('the relay of a page', () => {
  it('is found from the page’s own URL', () => {
    const cases = {
      'http://127.0.0.1:8080/': '/ip4/127.0.0.1/tcp/8080/ws',
      'https://shoal.example/chat?x=1': '/dns/shoal.example/tcp/443/tls/ws',
      'http://[::1]:90/': '/ip6/::1/tcp/90/ws',
      'ws://localhost/': '/dns/localhost/tcp/80/ws',
    };
    for (const [url, address] of Object.entries(cases))
      expect(relayAddress(url, RELAY)).toBe(`${address}/p2p/${RELAY}`);
  });

  it('is refused by name when there is none', () => {
    for (const [url, peer] of [
      ['ftp://x/', RELAY],
      ['nonsense', RELAY],
      ['http://x/', 'no/peer'],
    ] as const)
      expect(() => relayAddress(url, peer)).toThrow(expect.objectContaining({ code: 'no-relay' }));
  });
});

describe('addresses that a stranger names', () => {
  it('lead to the peer that is meant, or are left out', () => {
    const circuit = `/ip4/1.2.3.4/tcp/1/ws/p2p/${RELAY}/p2p-circuit`;
    const named = [circuit, `${circuit}/p2p/${PEER}`, `${circuit}/p2p/${RELAY}`, 'nonsense', 'x'.repeat(1e6)];
    expect(checkedAddresses(PEER, named).map(String)).toEqual([`${circuit}/p2p/${PEER}`]);
  });

  it('are eight at most, and looking for them ends', () => {
    const many = Array.from({ length: 1000 }, (_, i) => `/ip4/1.2.3.4/tcp/${i + 1}/ws`);
    expect(checkedAddresses(PEER, many)).toHaveLength(8);
  });

  it('say how a connection travels', () => {
    const circuit = `/ip4/1.2.3.4/tcp/1/ws/p2p/${RELAY}/p2p-circuit`;
    const paths = {
      [`${circuit}/webrtc/p2p/${PEER}`]: 'direct',
      [`/webrtc/p2p/${PEER}`]: 'direct',
      [`${circuit}/p2p/${PEER}`]: 'relayed',
      '/dns/x.example/tcp/443/tls/ws': 'websocket',
      '/ip4/1.2.3.4/tcp/4001': 'tcp',
    };
    for (const [address, path] of Object.entries(paths)) expect(pathOf(multiaddr(address))).toBe(path);
  });

  it('do not make a tab knock at doors of its own network, other than the relay’s', async () => {
    const gater = connectionGater({
      refused: new Refused(() => 0),
      relayPeers: () => new Set([RELAY]),
      mayDial: outerOr(() => new Set(['192.168.1.5', 'localhost'])),
    });
    const denied = (address: string) => gater.denyDialMultiaddr!(multiaddr(address));
    expect(await denied('/ip4/192.168.1.5/tcp/8080/ws')).toBe(false);
    expect(await denied('/dns/localhost/tcp/8080/ws')).toBe(false);
    expect(await denied('/dns/relay.example/tcp/443/tls/ws')).toBe(false);
    expect(await denied('/ip4/192.168.1.1/tcp/80/ws')).toBe(true);
    expect(await denied('/ip4/127.0.0.1/tcp/80/ws')).toBe(true);
    expect(await denied('/dns/printer/tcp/80/ws')).toBe(true);
    expect(await denied('/dns/nas.local/tcp/80/ws')).toBe(true);
    expect(await denied('/ip6/::1/tcp/80/ws')).toBe(true);
  });
});

it('a cut-off peer is refused for a minute, and the list of them does not grow', () => {
  let now = 0;
  const refused = new Refused(() => now);
  refused.add('first');
  expect(refused.has('first')).toBe(true);
  now = 59_999;
  expect(refused.has('first')).toBe(true);
  now = 60_000;
  expect(refused.has('first')).toBe(false);
  for (let i = 0; i < 2000; i++) refused.add(`peer ${i}`);
  expect(refused.has('peer 1999')).toBe(true);
  expect(refused.has('peer 0')).toBe(false);
});
