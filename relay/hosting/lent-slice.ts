import type { Engine, LoadOptions, LoadProgress } from '../../src/engine/index.ts';
import type { LentSlice } from '../../src/host/index.ts';
import type { Manifest } from '../../src/model/index.ts';
import type { LayerRange } from '../../src/swarm/index.ts';
import type { Part } from '../../src/wire/index.ts';
import type { ServedModel } from '../shelf.ts';
import type { Device } from './devices.ts';
import type { Claim } from './memory.ts';
import type { Needs, Numbers } from './need.ts';

export interface LentSliceOptions {
  /** The model as it lies on this disk, and its parsed manifest. */
  model: ServedModel;
  manifest: Manifest;
  range: LayerRange;
  /** What is loaded at once. */
  main: Part;
  device: Device;
  claim: Claim;
  needs: Needs;
  numbers: Numbers;
  /** Of an engine on the CPU; null for all. */
  threads: number | null;
  loadEngine: (options: LoadOptions) => Promise<Engine>;
  /** Of the main part only, the one that is measured. */
  onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Told when the main part is there. */
  onLoaded?: ((engine: Engine) => void) | undefined;
  ownUse?: boolean;
}

/** Layers of a model that lies here as a slice to lend, its engines loaded from the files that the relay serves. */
export function lentSlice(options: LentSliceOptions): LentSlice {
  const { model, manifest, range, main, device, claim, needs, numbers, threads, ownUse } = options;
  return {
    cid: model.cid,
    layers: model.layers,
    start: range.start,
    end: range.end,
    main,
    ownUse,
    get memoryBudget() {
      return claim.budget;
    },
    onMemory: (bytes) => claim.note(bytes),
    weightBytes: (part) => needs.weights(part, device),
    async load(part, { measure, signal }) {
      const engine = await options.loadEngine({
        manifest,
        slice: part,
        weights: { kind: 'files', files: model.files.map(({ path }) => path) },
        backends: [device.backend],
        ...(device.backend === 'node-cuda' && { device: device.name }),
        ...numbers,
        ...(threads !== null && { threads }),
        // Beside the engine there are sockets, HTTP and the network: on a busy machine of two cores active waiting took
        // twice the processor time per step, and three times as long.
        spin: false,
        // What the slices share is counted by the host; this only keeps one engine from more than the device has.
        memoryLimit: device.memory.total,
        measure,
        signal,
        onProgress: measure ? options.onProgress : undefined,
      });
      if (measure) options.onLoaded?.(engine);
      return engine;
    },
  };
}
