import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import { connectionGater, outerOr, Refused } from './gater.ts';
import { decodeJoin, encodeJoin, type JoinMessage } from './join-messages.ts';
import { readNamed } from './named-relays.ts';
import { addressesOf } from './relay-addresses.ts';

const RELAY = '12D3KooWEU3Ekq7QWNjLJBeAxjFfrtw6UqPox2zvb5GR8NQNGR5z';
const OTHER = '12D3KooWQjT5jF1gHqAHC4ZHB3gMJeT3wDkPvZ3h8yTzN7zW6bJx';
const bytes = (told: unknown) => new TextEncoder().encode(JSON.stringify(told));

describe('where a joined relay says that it is', () => {
  const of = (addresses: string[], seen?: string, port: number | null = null) =>
    addressesOf(OTHER, { addresses, port }, seen, null);

  it('counts when it is public, or the very host that it is seen at', () => {
    const wide = `/dns/b.example/tcp/443/tls/ws/p2p/${OTHER}`;
    expect(of([wide, '/ip4/192.168.1.7/tcp/80/ws'], '192.168.1.7')).toEqual([
      wide,
      `/ip4/192.168.1.7/tcp/80/ws/p2p/${OTHER}`,
    ]);
    expect(of([wide, '/ip4/192.168.1.1/tcp/80/ws', '/dns/localhost/tcp/80/ws'], '8.8.8.8')).toEqual([wide]);
  });

  it('is no circuit, no other peer and nothing that nobody can dial', () => {
    const bad = [
      `/dns/b.example/tcp/443/tls/ws/p2p/${RELAY}/p2p-circuit`,
      `/dns/b.example/tcp/443/tls/ws/p2p/${RELAY}`,
      '/ip4/1.2.3.4/udp/5/quic-v1',
      '/unix/etc%2Fpasswd',
      'nonsense',
    ];
    expect(of(bad, '1.2.3.4')).toEqual([]);
  });

  it('is the port that it tells, at the host that it is seen at, when a tab could dial nothing else', () => {
    const derived = `/ip4/1.2.3.4/tcp/8080/ws/p2p/${OTHER}`;
    expect(of([], '1.2.3.4', 8080)).toEqual([derived]);
    expect(of(['/ip4/1.2.3.4/tcp/4001'], '1.2.3.4', 8080)).toContain(derived);
    expect(of([`/dns/b.example/tcp/443/tls/ws`], '1.2.3.4', 8080)).toHaveLength(1);
    expect(of([], undefined, 8080)).toEqual([]);
  });
});

describe('relays that an own relay names', () => {
  const one = (peer: unknown, ...addresses: unknown[]) => ({ peer, addresses });
  const read = (relays: unknown) => readNamed(bytes({ relays }), RELAY);

  it('are sixteen at most, each with addresses of its own', () => {
    const good = `/ip4/10.0.0.2/tcp/80/ws/p2p/${OTHER}`;
    expect([...read([one(OTHER, good)])]).toEqual([[OTHER, [multiaddr(good)]]]);
    expect(read(Array.from({ length: 17 }, (_, i) => one(i === 16 ? OTHER : 'x', good))).size).toBe(0);
    for (const bad of [
      one(RELAY, good),
      one(OTHER, 5),
      one('x', good),
      one(OTHER, `${good}/p2p-circuit`),
      null,
      7,
    ])
      expect(read([bad]).size).toBe(0);
    for (const told of [{}, { relays: 'x' }, [], null, 'x'])
      expect(readNamed(bytes(told), RELAY).size).toBe(0);
    expect(readNamed(new Uint8Array(100_000).fill(32), RELAY).size).toBe(0);
  });

  it('open their own hosts to a tab, and no others', async () => {
    const named = read([one(OTHER, `/ip4/10.0.0.2/tcp/80/ws/p2p/${OTHER}`)]);
    const hosts = new Set([...named.values()].flat().map((address) => address.getComponents()[0]!.value!));
    const gater = connectionGater({
      refused: new Refused(() => 0),
      relayPeers: () => new Set([RELAY]),
      mayDial: outerOr(() => hosts),
    });
    expect(await gater.denyDialMultiaddr!(multiaddr('/ip4/10.0.0.2/tcp/80/ws'))).toBe(false);
    expect(await gater.denyDialMultiaddr!(multiaddr('/ip4/10.0.0.3/tcp/80/ws'))).toBe(true);
  });
});

describe('messages between relays', () => {
  const addrs = [`/dns/b.example/tcp/443/tls/ws/p2p/${OTHER}`];
  const good: JoinMessage[] = [
    { kind: 'hello', addresses: addrs, port: 80 },
    { kind: 'hello', addresses: [], port: null },
    { kind: 'ask', id: 7, key: '1e20ab' },
    { kind: 'answer', id: 7, providers: [{ peer: OTHER, addrs }] },
  ];

  it('come back as they went', () => {
    for (const message of good) expect(decodeJoin(encodeJoin(message).slice(4))).toEqual(message);
  });

  it('are null when anything about them is wrong, and never throw', () => {
    const bad = [
      null,
      [],
      'x',
      { kind: 'other' },
      { kind: 'ask', id: -1, key: '1e20ab' },
      { kind: 'ask', id: 1, key: '1E20' },
      { kind: 'ask', id: 1, key: 'ab'.repeat(81) },
      { kind: 'hello', addresses: new Array(9).fill('/a'), port: null },
      { kind: 'hello', addresses: ['x'.repeat(513)], port: null },
      { kind: 'hello', addresses: [], port: 65_536 },
      { kind: 'answer', id: 1, providers: [null] },
      { kind: 'answer', id: 1, providers: [{ peer: 'x', addrs: [] }] },
      { kind: 'answer', id: 1, providers: new Array(65).fill({ peer: OTHER, addrs: [] }) },
    ];
    for (const told of bad) expect(decodeJoin(bytes(told))).toBeNull();
    for (const message of good) {
      const whole = encodeJoin(message).slice(4);
      for (let end = 0; end < whole.length; end++) expect(decodeJoin(whole.subarray(0, end))).toBeNull();
    }
    expect(decodeJoin(Uint8Array.of(0xff, 0xfe))).toBeNull();
    expect(decodeJoin(new Uint8Array(200_000))).toBeNull();
  });

  it('an answer too long for one message leaves providers out', () => {
    const long = Array.from({ length: 8 }, () => `/dns/${'x'.repeat(490)}/tcp/1`);
    const providers = Array.from({ length: 64 }, () => ({ peer: OTHER, addrs: long }));
    const body = encodeJoin({ kind: 'answer', id: 1, providers }).slice(4);
    const read = decodeJoin(body);
    expect(read?.kind === 'answer' && read.providers.length).toBe(16);
  });
});
