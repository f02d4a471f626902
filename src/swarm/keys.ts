import { blake3 } from '@noble/hashes/blake3.js';
import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import { cellsTouching } from './grid.ts';
import type { Holding, LayerRange } from './types.ts';

/** Multicodec numbers: raw bytes, blake3. */
const RAW = 0x55;
const BLAKE3 = 0x1e;

function contentId(text: string): CID {
  return CID.createV1(RAW, create(BLAKE3, blake3(new TextEncoder().encode(text))));
}

/** Key of the hosts of layers `[start, end)`: IntelNav's text, its blake3 digest, as a CIDv1. */
export function sliceKey(cid: string, { start, end }: LayerRange): CID {
  return contentId(`intelnav/shard/v1|${cid}|${start}|${end}`);
}

/** Key of everybody who holds any part of the model. */
export function modelKey(cid: string): CID {
  return contentId(`intelnav/model/v1|${cid}`);
}

/**
 * Keys that a host of the slice publishes: the exact range, every grid cell that it touches, the model. Cells that it
 * covers only in part count too: else nobody would find the layers at the ends of a slice that is not cut at the grid.
 * What it holds exactly it says when asked.
 */
export function keysToPublish(slice: Holding): CID[] {
  const ranges: LayerRange[] = [slice, ...cellsTouching(slice.layers, slice)];
  return distinct([...ranges.map((range) => sliceKey(slice.cid, range)), modelKey(slice.cid)]);
}

/** Keys under which hosts of any layer of the range are found: the exact range and the grid cells that it touches. */
export function keysToAsk(model: { cid: string; layers: number }, range: LayerRange): CID[] {
  const ranges = [range, ...cellsTouching(model.layers, range)];
  return distinct(ranges.map((one) => sliceKey(model.cid, one)));
}

function distinct(keys: CID[]): CID[] {
  return [...new Map(keys.map((key) => [key.toString(), key])).values()];
}
