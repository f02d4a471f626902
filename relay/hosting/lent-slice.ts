import type { Engine, LoadOptions, LoadProgress } from '../../src/engine/index.ts';
import type { LentSlice } from '../../src/host/index.ts';
import type { Manifest } from '../../src/model/index.ts';
import { FRONT_LAYERS } from '../../src/swarm/index.ts';
import { RelayError } from '../errors.ts';
import type { LayersWanted } from '../options.ts';
import type { ServedModel } from '../shelf.ts';

export interface LentSliceOptions {
  /** The model as it lies on this disk, and its parsed manifest. */
  model: ServedModel;
  manifest: Manifest;
  layers: Exclude<LayersWanted, 'none'>;
  /** Bytes for weights and caches together. */
  memory: number;
  loadEngine: (options: LoadOptions) => Promise<Engine>;
  /** Of the main part only, the one that is measured. */
  onProgress?: (progress: LoadProgress) => void;
}

/**
 * The slice that `--layers` names, its engines loaded from the files that the relay serves. Exact arithmetic in
 * float32: whoever uses this relay gets the text of one machine.
 * @throws RelayError `usage` when the model does not have these layers
 */
export function lentSlice(options: LentSliceOptions): LentSlice {
  const { model, manifest, memory, loadEngine, onProgress } = options;
  const range = rangeOf(options.layers, model);
  const main = { ...range, embed: false, head: false };
  // Clients run the front layers themselves, for their text not to leave them: the rest is what they ask for.
  if (range.start < FRONT_LAYERS && range.end > FRONT_LAYERS) main.start = FRONT_LAYERS;
  return {
    ...range,
    cid: model.cid,
    layers: model.layers,
    main,
    memoryBudget: memory,
    load: (part, { measure, signal }) =>
      loadEngine({
        manifest,
        slice: part,
        weights: { kind: 'files', files: model.files.map(({ path }) => path) },
        arithmetic: 'exact',
        precision: 'float32',
        memoryLimit: memory,
        measure,
        signal,
        onProgress: measure ? onProgress : undefined,
      }),
  };
}

function rangeOf(wanted: LentSliceOptions['layers'], { name, layers }: ServedModel) {
  if (wanted === 'all') return { start: 0, end: layers };
  if (wanted.end > layers)
    throw new RelayError(
      'usage',
      `--layers ${wanted.start}-${wanted.end} is outside ${name}, which has layers 0-${layers}. Choose a part of these, all or none.`,
    );
  return wanted;
}
