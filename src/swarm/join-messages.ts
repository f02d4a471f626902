import { peerIdFromString } from '@libp2p/peer-id';
import { frame } from '../wire/index.ts';
import { MAX_JOIN_MESSAGE_BYTES, MAX_SMALL_MESSAGE_BYTES } from './federation-limits.ts';
import { MAX_ADDRESS_LENGTH, MAX_ADDRESSES, MAX_PROVIDERS_PER_ANSWER } from './limits.ts';
import type { Provider } from './provider-records.ts';

/** What a relay tells of itself to one that it joins, or that joins it. */
export interface JoinHello {
  kind: 'hello';
  /** Multiaddrs under which others reach it. */
  addresses: string[];
  /** Port of its WebSockets without TLS, at the address that the other sees it at; null when there is none. */
  port: number | null;
}

export interface JoinQuestion {
  kind: 'ask';
  id: number;
  /** A multihash in hexadecimal. */
  key: string;
}

export interface JoinAnswer {
  kind: 'answer';
  id: number;
  providers: Provider[];
}

export type JoinMessage = JoinHello | JoinQuestion | JoinAnswer;

/** Characters: an Ed25519 id has 52. */
const MAX_PEER_LENGTH = 64;
/** 80 bytes of a multihash, in hexadecimal. */
const KEY = /^(?:[0-9a-f]{2}){2,80}$/;

/** JSON in a frame. Providers that do not fit in one message are left out, the last ones first. */
export function encodeJoin(message: JoinMessage): Uint8Array {
  let body = bytesOf(message);
  if (message.kind === 'answer') {
    const providers = message.providers.slice(0, MAX_PROVIDERS_PER_ANSWER);
    while (body.length > MAX_JOIN_MESSAGE_BYTES && providers.length > 0) {
      providers.length = Math.floor(providers.length / 2);
      body = bytesOf({ ...message, providers });
    }
  }
  return frame(body);
}

/** @returns null for what is no such message: no honest relay sends it */
export function decodeJoin(body: Uint8Array): JoinMessage | null {
  if (body.length > MAX_JOIN_MESSAGE_BYTES) return null;
  const told = parse(body);
  if (told === null) return null;
  const { kind, id } = told;
  if (kind === 'answer') return answerOf(told);
  if (body.length > MAX_SMALL_MESSAGE_BYTES) return null;
  if (kind === 'ask') {
    return isId(id) && typeof told.key === 'string' && KEY.test(told.key)
      ? { kind, id, key: told.key }
      : null;
  }
  if (kind !== 'hello') return null;
  const { addresses, port } = told;
  if (!areAddresses(addresses)) return null;
  const usable = port === null || (Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536);
  return usable ? { kind, addresses, port: port as number | null } : null;
}

/** JSON of an object, or null. The bytes are bounded by the caller. */
export function parse(body: Uint8Array): Record<string, unknown> | null {
  try {
    const told: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return typeof told === 'object' && told !== null ? (told as Record<string, unknown>) : null;
  } catch {
    // No text, or no JSON: told by the null.
    return null;
  }
}

/** A short list of short texts. What they mean is looked at where they are used. */
export function areAddresses(given: unknown): given is string[] {
  return (
    Array.isArray(given) &&
    given.length <= MAX_ADDRESSES &&
    given.every((one) => typeof one === 'string' && one.length <= MAX_ADDRESS_LENGTH)
  );
}

/** A peer id in its one usual form. */
export function isPeerText(given: unknown): given is string {
  if (typeof given !== 'string' || given.length > MAX_PEER_LENGTH) return false;
  try {
    return peerIdFromString(given).toString() === given;
  } catch {
    return false;
  }
}

function answerOf({ id, providers }: Record<string, unknown>): JoinAnswer | null {
  if (!isId(id) || !Array.isArray(providers) || providers.length > MAX_PROVIDERS_PER_ANSWER) return null;
  const read: Provider[] = [];
  for (const one of providers) {
    if (typeof one !== 'object' || one === null || !isPeerText(one.peer) || !areAddresses(one.addrs))
      return null;
    read.push({ peer: one.peer, addrs: one.addrs });
  }
  return { kind: 'answer', id, providers: read };
}

function isId(given: unknown): given is number {
  return Number.isSafeInteger(given) && Number(given) >= 0;
}

function bytesOf(message: JoinMessage): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}
