import type { DeviceFacts } from './platform.ts';

const GIB = 2 ** 30;
/** The largest number that most browsers tell, so that devices are not told apart by it. GiB. */
const LARGEST_TOLD = 8;
/** Milliseconds for a GPU to answer; one that takes longer is not waited for. */
const GPU_MS = 2_000;

let facts: Promise<DeviceFacts> | null = null;

/** Asked once per page: neither changes. */
export function readDevice(): Promise<DeviceFacts> {
  facts ??= read();
  return facts;
}

async function read(): Promise<DeviceFacts> {
  const told = 'deviceMemory' in navigator ? navigator.deviceMemory : null;
  const gib = typeof told === 'number' && told > 0 ? told : null;
  return {
    memoryBytes: gib === null ? null : gib * GIB,
    memoryMayBeMore: gib !== null && gib >= LARGEST_TOLD,
    gpu: await Promise.race([readGpu(), new Promise<null>((late) => setTimeout(late, GPU_MS, null))]),
  };
}

async function readGpu(): Promise<DeviceFacts['gpu']> {
  try {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter || adapter.info.isFallbackAdapter) return null;
    const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
    return { maxBufferBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize) };
  } catch {
    // A browser that has WebGPU switched off in a way of its own has no GPU for us.
    return null;
  }
}
