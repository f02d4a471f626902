import type { Backend } from '../../src/engine/index.ts';
import type { DeviceWanted } from '../config/types.ts';
import type { Log } from '../watch/types.ts';
import type { CudaReport } from './cuda.ts';
import { HostingError } from './errors.ts';
import { DeviceMemory, freeMemory } from './memory.ts';

/** Where engines run. */
export interface Device {
  /** `cpu` or `cuda:0`. */
  name: string;
  backend: Extract<Backend, 'node-cpu' | 'node-cuda'>;
  memory: DeviceMemory;
}

export interface DeviceOptions {
  wanted: readonly DeviceWanted[];
  /** Bytes per device; null for a share of what is free. */
  memory: number | null;
  log: Log;
  /** Asked only when CUDA may be wanted. */
  inspect: () => Promise<CudaReport>;
  /** Bytes free on a CUDA device now, by its name. */
  freeOnGpu: (name: string) => Promise<number>;
}

/**
 * The devices to lend on, in the order in which layers are laid on them.
 * @throws HostingError `no-device` when CUDA was asked for by name and cannot be had
 */
export async function chooseDevices(options: DeviceOptions): Promise<Device[]> {
  const { wanted, log } = options;
  const names = new Set<string>();
  let report: Promise<CudaReport> | null = null;
  for (const name of wanted) {
    if (name === 'cpu') {
      names.add(name);
      continue;
    }
    report ??= options.inspect();
    const { devices, problems } = await report;
    const proven = devices.filter((device) => device.proven).map(({ id }) => id);
    const found = name === 'auto' || name === 'cuda' ? proven : proven.filter((id) => id === name);
    const why = problems.map(({ what, todo }) => `${what}; ${todo}`).join('. ');
    if (name === 'auto') {
      // A machine without a GPU is no news.
      if (devices.length > 0 && found.length === 0)
        log.warn(`The GPU is not used, layers run on the CPU: ${why}.`);
      for (const id of found.length > 0 ? found : ['cpu']) names.add(id);
    } else if (found.length > 0) for (const id of found) names.add(id);
    else {
      const seen = proven.length > 0 ? `usable here: ${proven.join(', ')}` : why || 'it is not there';
      throw new HostingError('no-device', `Layers were to run on ${name}, which cannot be used: ${seen}.`);
    }
  }
  return [...names].map((name) => makeDevice(name, options));
}

function makeDevice(name: string, { memory, freeOnGpu }: DeviceOptions): Device {
  return name === 'cpu'
    ? { name, backend: 'node-cpu', memory: new DeviceMemory('cpu', memory, freeMemory) }
    : {
        name,
        backend: 'node-cuda',
        memory: new DeviceMemory('gpu', memory, () => freeOnGpu(name)),
      };
}
