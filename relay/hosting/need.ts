import type { LoadOptions } from '../../src/engine/index.ts';
import type { MemoryEstimate } from '../../src/engine/node.ts';
import type { Manifest, Slice } from '../../src/model/index.ts';
import { FRONT_LAYERS, type LayerRange } from '../../src/swarm/index.ts';
import type { Part } from '../../src/wire/index.ts';
import type { Device } from './devices.ts';

/** How the engines of the lent slices compute. */
export type Numbers = Required<Pick<LoadOptions, 'arithmetic' | 'precision'>>;

/** As `estimateMemory` of the engine: what a slice will take, before a weight is read. */
export type Estimate = (
  manifest: Manifest,
  slice: Slice,
  backend: Device['backend'],
  options: Numbers & { memoryLimit: number },
) => MemoryEstimate;

/** Bytes that a range takes on a device. */
export interface Need {
  /** Of all its parts: what is always loaded, the front with the embedding, and the head. */
  weights: number;
  /** Caches of one conversation of the longest kind. */
  conversation: number;
}

/** Clients run the front layers themselves, for their text not to leave them: the rest is what they ask for. */
export function mainPart({ start, end }: LayerRange): Part {
  const from = start < FRONT_LAYERS && end > FRONT_LAYERS ? FRONT_LAYERS : start;
  return { start: from, end, embed: false, head: false };
}

/** Tells what ranges of one model take on each device; asked often, so that it remembers. */
export class Needs {
  readonly #known = new Map<string, Need>();

  constructor(
    private readonly manifest: Manifest,
    private readonly numbers: Numbers,
    private readonly estimate: Estimate,
  ) {}

  of(range: LayerRange, device: Device, { ends = true }: { ends?: boolean } = {}): Need {
    const key = `${range.start}-${range.end} ${device.name} ${ends}`;
    const known = this.#known.get(key);
    if (known) return known;
    const parts = ends ? this.#parts(range) : [{ ...range, embed: false, head: false }];
    const weights = parts.reduce((sum, part) => sum + this.weights(part, device), 0);
    const { kvBytesPerToken, maxTokens } = this.#ask({ ...range, embed: false, head: false }, device);
    const need = { weights, conversation: kvBytesPerToken * maxTokens };
    this.#known.set(key, need);
    return need;
  }

  /** Of one part, as its engine will hold them. */
  weights(part: Part, device: Device): number {
    return this.#ask(part, device).weightBytes;
  }

  #ask(part: Part, device: Device): MemoryEstimate {
    const memoryLimit = device.memory.total;
    return this.estimate(this.manifest, part, device.backend, { ...this.numbers, memoryLimit });
  }

  /** The engines that a range is run by when everything in it is asked for. */
  #parts(range: LayerRange): Part[] {
    const { layers } = this.manifest.config;
    const main = mainPart(range);
    const parts = [main];
    if (range.start === 0) {
      // A front of its own, or the main part with the embedding once more.
      const end = main.start > 0 ? main.start : main.end;
      parts.push({ start: 0, end, embed: true, head: false });
    }
    if (range.end === layers) parts.push({ start: layers, end: layers, embed: false, head: true });
    return parts;
  }
}
