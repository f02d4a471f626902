import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Addresses } from './address.ts';

const asked = (remoteAddress: string | undefined, forwarded?: string | string[]) => ({
  headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  socket: { remoteAddress },
});

it('a client that comes by itself is counted by its own address, an IPv6 one by its /64', () => {
  const addresses = new Addresses([]);
  const cases: [string | undefined, string][] = [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['::1', '::1'],
    // NAT64: the IPv4 client is in the last 32 bits.
    ['64:ff9b::cb00:7107', '64:ff9b::cb00:7107'],
    [undefined, 'unknown'],
    ['', 'unknown'],
  ];
  for (const [socket, key] of cases) expect(addresses.of(asked(socket)), socket).toBe(key);
});

it('what a stranger writes into X-Forwarded-For is not believed', () => {
  const addresses = new Addresses(['loopback', '10.0.0.0/8']);
  expect(addresses.of(asked('203.0.113.7', '198.51.100.1'))).toBe('203.0.113.7');
});

it('a trusted proxy is believed, from right to left up to the first stranger', () => {
  const addresses = new Addresses(['loopback', '10.0.0.0/8', '2001:db8:ffff::/48', '192.0.2.9']);
  const cases: [string, string | string[], string][] = [
    ['127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
    // The client wrote 1.2.3.4 itself.
    ['127.0.0.1', '1.2.3.4, 198.51.100.1', '198.51.100.1'],
    ['127.0.0.1', '1.2.3.4, 198.51.100.1, 10.1.2.3, 192.0.2.9', '198.51.100.1'],
    ['10.9.9.9', ['1.2.3.4', '198.51.100.1, 10.1.2.3'], '198.51.100.1'],
    ['2001:db8:ffff::1', '2001:db8:5:6:7::8', '2001:db8:5:6::/64'],
    ['127.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['127.0.0.1', '[2001:db8:5:6::1]:4711', '2001:db8:5:6::/64'],
    // Nobody but proxies: the farthest.
    ['127.0.0.1', '10.1.1.1, 10.2.2.2', '10.1.1.1'],
    // Garbage: who passed it on.
    ['127.0.0.1', 'unknown, 10.2.2.2', '10.2.2.2'],
    ['127.0.0.1', '198.51.100.1, _hidden', '127.0.0.1'],
    ['127.0.0.1', '127.1', '127.0.0.1'],
    ['127.0.0.1', '', '127.0.0.1'],
  ];
  for (const [socket, forwarded, key] of cases)
    expect(addresses.of(asked(socket, forwarded)), `${socket} ${forwarded}`).toBe(key);
});

it('a chain of proxies without an end is read up to the sixteenth', () => {
  const addresses = new Addresses(['10.0.0.0/8']);
  const chain = Array.from({ length: 1000 }, (_, i) => `10.0.${Math.floor(i / 250)}.${i % 250}`);
  expect(addresses.of(asked('10.255.0.1', chain.join(',')))).toBe('10.0.3.234');
});

it('no header makes it throw, or gives a key longer than an address', () => {
  const addresses = new Addresses(['loopback']);
  const part = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.ipV4Extended(),
    fc.ipV6(),
    fc.constantFrom('::ffff:1.2.3.4', '[::1]:5', '1.2.3.4:5', '%', '::%', '1.2.3.4/8', ':::'),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const key = addresses.of(asked('127.0.0.1', parts.join(',')));
      expect(key).toMatch(/^[\d.]{7,15}$|^[\da-f:]+(\/64)?$/);
      expect(key.length).toBeLessThanOrEqual(43);
    }),
    { numRuns: 1500, seed: 7 },
  );
});

it('a proxy that is no address is refused by name', () => {
  for (const entry of ['proxy.example', '10.0.0.0/99', '', '10.0.0'])
    expect(() => new Addresses([entry]), entry).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining('trustedProxies') }),
    );
});
