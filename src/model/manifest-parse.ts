import { parseJson } from './checks.ts';
import { contentId } from './cid.ts';
import { ModelError } from './errors.ts';
import { encodeManifest } from './manifest.ts';
import { checkManifest } from './manifest-check.ts';
import type { Manifest } from './types.ts';

/** A model of 512 layers takes about 2 MiB, with its chat template. */
export const MAX_MANIFEST_BYTES = 8 * 1024 * 1024;

/**
 * Reads a manifest that may come from a stranger: size, cid and every field are checked, and the bytes must be the
 * canonical ones, so that one model has one cid.
 * @throws ModelError `too-large`, `wrong-hash`, `malformed`, and what a model file would throw
 */
export async function parseManifest(bytes: Uint8Array, expectedCid?: string): Promise<Manifest> {
  if (bytes.length > MAX_MANIFEST_BYTES)
    throw new ModelError(
      'too-large',
      `The manifest has ${bytes.length} bytes; at most ${MAX_MANIFEST_BYTES} are read.`,
    );
  if (expectedCid !== undefined && (await contentId(bytes)) !== expectedCid)
    throw new ModelError(
      'wrong-hash',
      `The manifest is not the one of ${expectedCid}. Ask another peer for it.`,
    );
  const manifest = checkManifest(parseJson(bytes, 'The manifest'));
  if (!sameBytes(encodeManifest(manifest), bytes))
    throw new ModelError(
      'malformed',
      'The manifest is not in its canonical form: extra fields, spaces or another order.',
    );
  return manifest;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
