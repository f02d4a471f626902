import type { Engine, LoadOptions } from '../../src/engine/index.ts';
import type { RelayConfig } from '../config/types.ts';
import type { Log, Meters } from '../watch/types.ts';
import type { CudaReport } from './cuda.ts';
import type { Estimate, Numbers } from './need.ts';

export interface HostingOptions {
  /**
   * `arithmetic` and `precision` of the lent engines: exact and float32 unless said otherwise, so that whoever uses this
   * relay gets the text of one machine. Others are offered as what they are, and clients that want one text pass them by.
   */
  config: RelayConfig['hosting'] & Partial<Numbers>;
  log: Log;
  meters?: Meters;
  /** Default: the Node engine, which is only then imported: a relay that lends nothing never needs onnxruntime. */
  loadEngine?: (options: LoadOptions) => Promise<Engine>;
  /** Default: looks for GPUs and tries each. */
  inspect?: (signal: AbortSignal) => Promise<CudaReport>;
  /** 0 to below 1, for the choice among equally good layers. */
  random?: () => number;
}

/** What lending is done with. */
export interface Tools {
  loadEngine: (options: LoadOptions) => Promise<Engine>;
  estimate: Estimate;
  inspect: (signal: AbortSignal) => Promise<CudaReport>;
  /** Bytes free on a CUDA device now; 0 when it is gone. */
  freeOnGpu: (name: string) => Promise<number>;
}

export async function toolsOf(options: HostingOptions): Promise<Tools> {
  const engine = await import('../../src/engine/node.ts');
  const cuda = await import('./cuda.ts');
  return {
    loadEngine: options.loadEngine ?? engine.loadEngine,
    estimate: engine.estimateMemory,
    inspect: options.inspect ?? ((signal) => cuda.inspectCuda({}, signal)),
    freeOnGpu: async (name) => (await cuda.listGpus()).find(({ id }) => id === name)?.freeBytes ?? 0,
  };
}

export function numbersOf({ config }: HostingOptions): Numbers {
  return { arithmetic: config.arithmetic ?? 'exact', precision: config.precision ?? 'float32' };
}
