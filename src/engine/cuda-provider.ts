import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Files that `npm rebuild` with CUDA puts beside onnxruntime's binary. */
const PROVIDER_FILES = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
/** Milliseconds for `ldd`, which reads a file of some hundred megabytes. */
const LDD_MS = 20_000;

export const GET_PROVIDER = 'ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node';

export interface CudaProvider {
  /** Provider files that are not beside onnxruntime's binary. */
  missingFiles: string[];
  /** Libraries that the provider needs and the loader does not find, as `libcudnn.so.9`; null when that is unknown. */
  missingLibraries: string[] | null;
}

/** The number in `cuda:1`; 0 without. @throws Error */
export function cudaDeviceId(device = 'cuda:0'): number {
  const found = /^cuda(?::(\d{1,2}))?$/.exec(device);
  if (!found) throw new Error(`${device} is no CUDA device; write cuda:0 for the first`);
  return Number(found[1] ?? 0);
}

/** Looks for onnxruntime's CUDA provider and for what it is linked against. Never rejects. */
export async function findCudaProvider(folder = onnxruntimeFolder()): Promise<CudaProvider> {
  const missingFiles: string[] = [];
  for (const file of PROVIDER_FILES)
    await access(join(folder, file)).catch(() => void missingFiles.push(file));
  if (missingFiles.length > 0) return { missingFiles, missingLibraries: null };
  return { missingFiles, missingLibraries: await unresolved(join(folder, PROVIDER_FILES[1]!)) };
}

/** Why CUDA cannot be had here, and what to do; null when nothing is known to be missing. */
export async function whyNoCuda(folder?: string): Promise<string | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `onnxruntime-node has CUDA on Linux x64 only, and this is ${process.platform} ${process.arch}`;
  const { missingFiles, missingLibraries } = await findCudaProvider(folder);
  if (missingFiles.length > 0)
    return `onnxruntime’s CUDA provider is not installed (${missingFiles.join(', ')}): run ${GET_PROVIDER}. It needs an NVIDIA driver, the CUDA 12 runtime and cuDNN 9 as well; see docs/cuda.md`;
  if (missingLibraries && missingLibraries.length > 0)
    return `onnxruntime’s CUDA provider needs ${missingLibraries.join(', ')}, which the loader does not find: install the CUDA runtime and cuDNN 9 of the same major version, or name their folder in LD_LIBRARY_PATH; see docs/cuda.md`;
  return null;
}

/** What `ldd` cannot resolve; null where there is no `ldd`. The loader would not say it: it names the provider only. */
export function unresolved(library: string): Promise<string[] | null> {
  return new Promise((resolve) => {
    execFile('ldd', [library], { timeout: LDD_MS, maxBuffer: 1 << 20 }, (error, stdout) => {
      if (error) return resolve(null);
      const lines = stdout.split('\n').flatMap((line) => /^\s*(\S+) => not found/.exec(line)?.[1] ?? []);
      resolve([...new Set(lines)]);
    });
  });
}

/** Where onnxruntime-node keeps its binaries for this machine; also where it looks for the provider. */
function onnxruntimeFolder(): string {
  const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  return join(dirname(manifest), 'bin/napi-v6', process.platform, process.arch);
}
