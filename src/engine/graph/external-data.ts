import type { TensorReader } from '../../model/index.ts';
import { EngineError } from '../types.ts';

/** Where an initializer's bytes lie. */
export interface ExternalRange {
  path: string;
  offset: number;
  length: number;
}

export interface ExternalFile {
  path: string;
  data: Uint8Array<ArrayBuffer>;
}

/** onnxruntime maps weights fastest when they start on a cache line. */
const ALIGNMENT = 64;
/** Far below the 2 GiB at which typed arrays and 32-bit WebAssembly stop; small files also fragment a heap less. */
const FILE_BYTES = 512 * 2 ** 20;

interface Fill {
  tensors: readonly string[];
  write: (sources: Uint8Array[]) => void;
}

/**
 * The weights of a graph, laid out before a byte is read: ranges are reserved while the graph is built,
 * then every buffer is allocated once at its final size and filled tensor by tensor, so that loading holds
 * the weights once plus one tensor.
 */
export class ExternalData {
  private readonly sizes: number[] = [];
  private readonly fills: Fill[] = [];
  private buffers: Uint8Array<ArrayBuffer>[] = [];

  /** Bytes of all weights as the back end gets them. */
  get bytes(): number {
    return this.sizes.reduce((sum, size) => sum + size, 0);
  }

  reserve(length: number): ExternalRange {
    let file = this.sizes.length - 1;
    const used = file < 0 ? 0 : Math.ceil(this.sizes[file]! / ALIGNMENT) * ALIGNMENT;
    if (file < 0 || (used > 0 && used + length > FILE_BYTES)) {
      this.sizes.push(length);
      file += 1;
      return { path: fileName(file), offset: 0, length };
    }
    this.sizes[file] = used + length;
    return { path: fileName(file), offset: used, length };
  }

  /** Registers how a range is filled from the named tensors of the model. */
  fill(tensors: readonly string[], write: (sources: Uint8Array[]) => void): void {
    this.fills.push({ tensors, write });
  }

  /** The bytes of a reserved range; only while weights are being filled in. */
  view(range: ExternalRange): Uint8Array<ArrayBuffer> {
    return this.buffers[Number(range.path.slice(PREFIX.length))]!.subarray(
      range.offset,
      range.offset + range.length,
    );
  }

  /**
   * Reads and writes everything; `onTensor` is told the bytes read so far.
   * The files belong to the caller afterwards: nothing here keeps them alive.
   */
  async load(
    reader: TensorReader,
    onTensor: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<ExternalFile[]> {
    try {
      this.buffers = this.sizes.map((size) => new Uint8Array(size));
    } catch (cause) {
      throw new EngineError(
        'out-of-memory',
        `${Math.ceil(this.bytes / 1e6)} MB of weights do not fit in memory; close other tabs or share fewer layers`,
        { cause },
      );
    }
    let read = 0;
    for (const { tensors, write } of this.fills) {
      signal?.throwIfAborted();
      const sources: Uint8Array[] = [];
      for (const name of tensors) sources.push(await reader.read(name, signal));
      write(sources);
      read += sources.reduce((sum, source) => sum + source.length, 0);
      onTensor(read);
    }
    const files = this.buffers.map((data, index) => ({ path: fileName(index), data }));
    this.buffers = [];
    return files;
  }
}

const PREFIX = 'weights-';

function fileName(index: number): string {
  return `${PREFIX}${index}`;
}
