import { canonicalJson, contentId } from './cid.ts';
import { sha256Hex } from './hash.ts';
import { checkManifest } from './manifest-check.ts';
import type { OpenedModel } from './opened.ts';
import { batchSpans, readSpan, type Span } from './ranges.ts';
import type { HashedRange, Manifest, ManifestTensor } from './types.ts';

export interface HashOptions {
  /** Bytes read and hashed, of all. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/**
 * Describes an opened model by contents: reads every tensor once and hashes it. The cid depends on nothing else, so
 * it is the same from a path, a picked file, a URL or memory.
 * @throws ModelError what the sources throw; `aborted`
 */
export async function makeManifest(
  opened: OpenedModel,
  { onProgress, signal }: HashOptions = {},
): Promise<{ manifest: Manifest; cid: string }> {
  const ranges = opened.tokenizer?.ranges ?? [];
  const total = [...opened.tensors, ...ranges].reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const hashAll = async <T extends Span>(spans: readonly T[]): Promise<Map<T, string>> => {
    const hashes = new Map<T, string>();
    for (const batch of batchSpans(spans)) {
      const data = await readSpan(opened.sources[batch.file]!, batch, { signal });
      for (const item of batch.items) {
        const start = item.offset - batch.offset;
        hashes.set(item, await sha256Hex(data.subarray(start, start + item.bytes)));
        done += item.bytes;
        onProgress?.(done, total);
      }
    }
    return hashes;
  };
  const tensorHashes = await hashAll(opened.tensors);
  const rangeHashes = await hashAll(ranges);
  const manifest = checkManifest({
    version: 1,
    name: opened.name,
    config: opened.config,
    files: opened.sources.map((source, i) => ({ name: opened.fileNames[i]!, bytes: source.size })),
    tensors: opened.tensors.map(
      (tensor): ManifestTensor => ({ ...tensor, sha256: tensorHashes.get(tensor)! }),
    ),
    tokenizer: opened.tokenizer && {
      kind: opened.tokenizer.kind,
      ranges: ranges.map((range): HashedRange => ({ ...range, sha256: rangeHashes.get(range)! })),
    },
    chatTemplate: opened.chatTemplate,
  });
  return { manifest, cid: await manifestCid(manifest) };
}

/** The bytes whose content id is the model's cid: JSON with sorted keys, UTF-8. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(canonicalJson(manifest));
}

/** The model's cid: CIDv1 of the encoded manifest. */
export function manifestCid(manifest: Manifest): Promise<string> {
  return contentId(encodeManifest(manifest));
}
