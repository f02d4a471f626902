import type { IncomingHttpHeaders } from 'node:http';
import ipaddr from 'ipaddr.js';
import { RelayError } from '../errors.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** What the address of a client is read from; an IncomingMessage is one. */
export interface Asked {
  headers: IncomingHttpHeaders;
  socket: { remoteAddress?: string };
}

/** Proxies in a row that are looked at; real chains have two or three. */
const MOST_PROXIES = 16;
/** A provider gives a customer 64 bits of host addresses, so that one customer would count as 2^64 clients. Bits. */
const IPV6_PREFIX = 64;
/** What is counted when nobody can say who asks: a socket that has closed already. */
export const UNKNOWN_ADDRESS = 'unknown';

/** Says which client a request comes from, with proxies believed only where the operator trusts them. */
export class Addresses {
  readonly #trusted: (readonly [Address, number])[] = [];

  /**
   * @param trustedProxies addresses, networks in CIDR form, or `loopback`
   * @throws RelayError `usage` for anything else
   */
  constructor(trustedProxies: readonly string[]) {
    for (const entry of trustedProxies) this.#trusted.push(...networks(entry));
  }

  /**
   * The client's address as a key to count by: IPv4 as it is, IPv6 as its /64. Never throws: what a proxy garbled is
   * counted as the proxy's own.
   */
  of({ headers, socket }: Asked): string {
    const peer = parse(socket.remoteAddress ?? '');
    if (!peer) return UNKNOWN_ADDRESS;
    let client = peer;
    const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',');
    if (!forwarded || !this.#trusts(peer)) return keyOf(client);
    // Each proxy appends who it heard from: from the right, everything up to the first stranger is believed.
    const entries = forwarded.split(',').slice(-MOST_PROXIES).reverse();
    for (const entry of entries) {
      const next = parse(withoutPort(entry.trim()));
      if (!next) break;
      client = next;
      if (!this.#trusts(next)) break;
    }
    return keyOf(client);
  }

  /** The key of a socket, whoever stands behind it, and whether that is a trusted proxy. */
  ofSocket(remoteAddress: string | undefined): { address: string; trusted: boolean } {
    const peer = parse(remoteAddress ?? '');
    return peer
      ? { address: keyOf(peer), trusted: this.#trusts(peer) }
      : { address: UNKNOWN_ADDRESS, trusted: false };
  }

  #trusts(address: Address): boolean {
    return this.#trusted.some(
      ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
    );
  }
}

function networks(entry: string): (readonly [Address, number])[] {
  if (entry === 'loopback') return [ipaddr.parseCIDR('127.0.0.0/8'), ipaddr.parseCIDR('::1/128')];
  if (ipaddr.isValidCIDR(entry)) return [ipaddr.parseCIDR(entry)];
  const address = parse(entry);
  if (address) return [[address, address.kind() === 'ipv4' ? 32 : 128]];
  throw new RelayError(
    'usage',
    `limits.trustedProxies takes addresses, networks such as 10.0.0.0/8, or loopback, not "${entry.slice(0, 60)}".`,
  );
}

/** An address written in full; null for anything else, also for the short forms (`127.1`, `0x7f.1`) of old C libraries. */
function parse(text: string): Address | null {
  const plain = text.replace(/%.*$/, '');
  if (ipaddr.IPv4.isValidFourPartDecimal(plain)) return ipaddr.IPv4.parse(plain);
  if (!ipaddr.IPv6.isValid(plain)) return null;
  const address = ipaddr.IPv6.parse(plain);
  // A dual-stack server writes IPv4 addresses as IPv6 ones.
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function withoutPort(entry: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(entry);
  if (bracketed) return bracketed[1]!;
  return /^[\d.]+:\d+$/.test(entry) ? entry.slice(0, entry.indexOf(':')) : entry;
}

function keyOf(address: Address): string {
  if (!(address instanceof ipaddr.IPv6)) return address.toString();
  // NAT64 puts the whole of IPv4 into one /64, and loopback shares its /64 with nothing.
  if (address.range() === 'rfc6052' || address.range() === 'loopback') return address.toString();
  const kept = address.parts.map((part, i) => (i < IPV6_PREFIX / 16 ? part : 0));
  return `${new ipaddr.IPv6(kept).toString()}/${IPV6_PREFIX}`;
}
