import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { ModelError } from './errors.ts';

export const SHA256_HEX = /^[0-9a-f]{64}$/;

/** SHA-256. `crypto.subtle` is missing in pages served over plain http from another machine. */
export async function sha256Bytes(data: Uint8Array): Promise<Uint8Array> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return sha256(data);
  return new Uint8Array(await subtle.digest('SHA-256', unshared(data)));
}

/** Lower-case hex. */
export async function sha256Hex(data: Uint8Array): Promise<string> {
  return bytesToHex(await sha256Bytes(data));
}

/** @throws ModelError `wrong-hash` */
export async function expectHash(data: Uint8Array, expected: string, what: string): Promise<void> {
  if ((await sha256Hex(data)) !== expected)
    throw new ModelError(
      'wrong-hash',
      `${what} is not what its hash says: the bytes are damaged. Fetch it again.`,
    );
}

/** WebCrypto and file writers refuse views on shared memory; everything else passes without a copy. */
export function unshared(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return data.buffer instanceof ArrayBuffer ? (data as Uint8Array<ArrayBuffer>) : new Uint8Array(data);
}
