import type { Tensor } from 'onnxruntime-common';
import { EngineError } from '../types.ts';
import type { OnnxRuntime } from './float-tensor.ts';
import type { GqaCache } from './gqa-runner.ts';
import type { RunnerShape } from './runner.ts';

/** Positions of a new cache; it doubles from there, by copies on the GPU. */
const FIRST_POSITIONS = 256;

/** A cache in GPU buffers that the graph reads and writes in place: [1, kvHeads, capacity, headSize] each. */
export class GpuCache implements GqaCache {
  readonly inPlace = true;
  length = 0;
  tensors: Tensor[] = [];
  private buffers: GPUBuffer[] = [];
  private capacity = 0;

  constructor(
    private readonly ort: OnnxRuntime,
    private readonly device: GPUDevice,
    private readonly shape: RunnerShape,
    private readonly maxPositions: number,
  ) {}

  get bytes(): number {
    return this.buffers.reduce((sum, buffer) => sum + buffer.size, 0);
  }

  async reserve(positions: number): Promise<void> {
    if (positions <= this.capacity) return;
    const { config, slice, precision } = this.shape;
    const capacity = Math.min(this.maxPositions, Math.max(positions, FIRST_POSITIONS, this.capacity * 2));
    const rowBytes = config.headSize * (precision === 'float16' ? 2 : 4);
    const size = config.kvHeads * capacity * rowBytes;
    this.device.pushErrorScope('out-of-memory');
    const grown = Array.from({ length: 2 * (slice.end - slice.start) }, () =>
      this.device.createBuffer({
        size,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      }),
    );
    const failed = await this.device.popErrorScope();
    if (failed) {
      for (const buffer of grown) buffer.destroy();
      throw new EngineError(
        'out-of-memory',
        `the GPU has no room for ${capacity} tokens of context; start a new chat or choose a smaller model`,
      );
    }
    if (this.length > 0) {
      const encoder = this.device.createCommandEncoder();
      grown.forEach((buffer, index) => {
        for (let head = 0; head < config.kvHeads; head++)
          encoder.copyBufferToBuffer(
            this.buffers[index]!,
            head * this.capacity * rowBytes,
            buffer,
            head * capacity * rowBytes,
            this.length * rowBytes,
          );
      });
      this.device.queue.submit([encoder.finish()]);
    }
    for (const buffer of this.buffers) buffer.destroy();
    this.buffers = grown;
    this.capacity = capacity;
    this.tensors = grown.map((buffer) =>
      this.ort.Tensor.fromGpuBuffer(buffer, {
        dataType: precision,
        dims: [1, config.kvHeads, capacity, config.headSize],
      }),
    );
  }

  truncate(length: number): void {
    this.length = Math.min(this.length, length);
  }

  dispose(): void {
    for (const buffer of this.buffers) buffer.destroy();
    this.buffers = [];
    this.tensors = [];
    this.capacity = 0;
    this.length = 0;
  }
}
