import { ModelError } from './errors.ts';
import type { Manifest, ManifestTensor, Slice } from './types.ts';

/**
 * The tensors a slice needs, in file order: its layers, the embedding when it takes tokens, norm and output matrix
 * when it gives logits (the embedding again where the two are tied), and the rope frequencies when it has layers.
 * @throws ModelError `malformed` for a slice outside the model
 */
export function sliceTensors(manifest: Manifest, slice: Slice): ManifestTensor[] {
  const { start, end, embed, head } = slice;
  const { layers, tiedEmbedding } = manifest.config;
  const sound =
    Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= layers;
  if (!sound || (start === end && !embed && !head))
    throw new ModelError(
      'malformed',
      `Layers [${start}, ${end}) are no slice of a model with ${layers} layers.`,
    );
  return manifest.tensors.filter(({ name }) => {
    if (name === 'token_embd.weight') return embed || (head && tiedEmbedding);
    if (name === 'output_norm.weight' || name === 'output.weight') return head;
    if (name === 'rope_freqs.weight') return end > start;
    const layer = Number(/^blk\.(\d+)\./.exec(name)?.[1]);
    return layer >= start && layer < end;
  });
}

/** Bytes of a slice's tensors, as stored. */
export function sliceBytes(manifest: Manifest, slice: Slice): number {
  return sliceTensors(manifest, slice).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The whole model as one slice. */
export function wholeSlice(manifest: Manifest): Slice {
  return { start: 0, end: manifest.config.layers, embed: true, head: true };
}
