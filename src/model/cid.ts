import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { sha256Bytes } from './hash.ts';

/** Multicodec numbers: the block is plain bytes, the hash is sha2-256. The form IntelNav's manifests have, too. */
const RAW = 0x55;
const SHA2_256 = 0x12;

/** CIDv1, raw, sha2-256, base32: `bafkrei…`. */
export async function contentId(bytes: Uint8Array): Promise<string> {
  return CID.createV1(RAW, Digest.create(SHA2_256, await sha256Bytes(bytes))).toString();
}

/** True for the form that `contentId` gives; also makes a text safe as a file name. */
export function isContentId(text: string): boolean {
  return /^bafkrei[a-z2-7]{52}$/.test(text);
}

/** JSON with sorted keys and no white space: the same text for the same contents, on every engine. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
