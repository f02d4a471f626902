import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { findCudaProvider, GET_PROVIDER, proveBackend } from '../../src/engine/node.ts';

/** Milliseconds that nvidia-smi or ldconfig may take; a driver that hangs must not hang the relay. */
const COMMAND_MS = 10_000;
/** Milliseconds for the proof: a first CUDA context and cuDNN take seconds to start. */
const PROOF_MS = 60_000;
const MIB = 2 ** 20;
/** Runtime libraries that onnxruntime's provider is linked against, by the start of their file name. */
const LIBRARIES = [
  'libcudart.so',
  'libcublas.so',
  'libcublasLt.so',
  'libcufft.so',
  'libcurand.so',
  'libcudnn.so.9',
];

export interface CudaDevice {
  /** As `devices` of the configuration names it: `cuda:0`. */
  id: string;
  name: string;
  memoryBytes: number;
  freeBytes: number;
  /** A tiny model computed right numbers on it. */
  proven: boolean;
}

export interface CudaReport {
  /** At least one device is proven. */
  usable: boolean;
  /** The first that is. */
  device: string | null;
  devices: CudaDevice[];
  problems: { what: string; todo: string }[];
}

export interface CudaProbe {
  /** Standard output of a program; null when it is not there, fails or takes too long. */
  run: (program: string, args: readonly string[]) => Promise<string | null>;
  provider: typeof findCudaProvider;
  prove: typeof proveBackend;
  env: NodeJS.ProcessEnv;
}

const REAL: CudaProbe = { run, provider: findCudaProvider, prove: proveBackend, env: process.env };

/**
 * Whether layers can run on NVIDIA GPUs here, tried with a real tiny model on each, and what is in the way. Takes
 * seconds where there is a GPU, and does nothing more where there is none. Never rejects.
 */
export async function inspectCuda(probe: Partial<CudaProbe> = {}, signal?: AbortSignal): Promise<CudaReport> {
  const with_ = { ...REAL, ...probe };
  const devices = await listGpus(with_);
  const problems: CudaReport['problems'] = [];
  if (devices.length === 0)
    problems.push({
      what: 'nvidia-smi finds no NVIDIA GPU',
      todo: 'install the NVIDIA driver; in a container, start it with --gpus all (NVIDIA Container Toolkit)',
    });
  const { missingFiles, missingLibraries } = await with_.provider();
  if (missingFiles.length > 0)
    problems.push({
      what: `onnxruntime’s CUDA provider is not installed (${missingFiles.join(', ')})`,
      todo: GET_PROVIDER,
    });
  const absent = missingLibraries ?? (await absentLibraries(with_));
  if (absent.length > 0)
    problems.push({
      what: `the loader does not find ${absent.join(', ')}`,
      todo: 'install the CUDA 12 runtime and cuDNN 9, or name their folder in LD_LIBRARY_PATH',
    });
  // What is not sure to be missing is settled by the proof.
  if (devices.length > 0 && missingFiles.length === 0 && (missingLibraries ?? []).length === 0) {
    problems.length = 0;
    for (const device of devices) await proveDevice(device, with_, problems, signal);
  }
  const first = devices.find(({ proven }) => proven);
  return { usable: first !== undefined, device: first?.id ?? null, devices, problems };
}

async function proveDevice(
  device: CudaDevice,
  { prove }: CudaProbe,
  problems: CudaReport['problems'],
  signal?: AbortSignal,
): Promise<void> {
  const late = AbortSignal.timeout(PROOF_MS);
  try {
    await prove('node-cuda', device.id, signal ? AbortSignal.any([signal, late]) : late);
    device.proven = true;
  } catch (error) {
    const why = late.aborted ? 'no answer in a minute' : error instanceof Error ? error.message : 'unknown';
    problems.push({
      what: `a tiny model does not run on ${device.id}, ${device.name}: ${why}`,
      todo: 'compare the versions of driver, CUDA and cuDNN with docs/cuda.md',
    });
  }
}

/** GPUs that this process sees, numbered as CUDA will number them. */
export async function listGpus({ run, env }: Pick<CudaProbe, 'run' | 'env'> = REAL): Promise<CudaDevice[]> {
  const query = '--query-gpu=index,uuid,name,memory.total,memory.free';
  const text = await run('nvidia-smi', [query, '--format=csv,noheader,nounits']);
  const rows = (text ?? '').split('\n').flatMap((line) => {
    const [index, uuid, ...rest] = line.split(',').map((field) => field.trim());
    const [total, free] = rest.slice(-2).map(Number);
    const sound = /^\d+$/.test(index ?? '') && uuid !== undefined && rest.length >= 3;
    if (!sound || !(total! > 0) || !(free! >= 0)) return [];
    // A name may hold a comma.
    return [{ index, uuid, name: rest.slice(0, -2).join(', '), total: total! * MIB, free: free! * MIB }];
  });
  const visible = env.CUDA_VISIBLE_DEVICES;
  const seen =
    visible === undefined
      ? rows
      : // CUDA stops at the first name that it does not know.
        takeKnown(visible.split(','), (name) =>
          rows.find(
            ({ index, uuid }) => index === name.trim() || (name.trim() && uuid.startsWith(name.trim())),
          ),
        );
  return seen.map(({ name, total, free }, at) => ({
    id: `cuda:${at}`,
    name,
    memoryBytes: total,
    freeBytes: free,
    proven: false,
  }));
}

function takeKnown<T>(names: readonly string[], find: (name: string) => T | undefined): T[] {
  const known: T[] = [];
  for (const name of names) {
    const found = find(name);
    if (!found) break;
    known.push(found);
  }
  return known;
}

/** Runtime libraries that are neither in the loader's cache nor in LD_LIBRARY_PATH. */
async function absentLibraries({ run, env }: CudaProbe): Promise<string[]> {
  const cache = await run('ldconfig', ['-p']);
  const folders = (env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean);
  const files = (await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])))).flat();
  if (cache === null && folders.length === 0) return [];
  return LIBRARIES.filter(
    (name) => !cache?.includes(`\t${name}`) && !files.some((file) => file.startsWith(name)),
  );
}

function run(program: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    // ldconfig is no command of ordinary users on Debian: its folder may not be on their path.
    const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/sbin:/usr/sbin` };
    const options = { timeout: COMMAND_MS, maxBuffer: 8 * MIB, env };
    execFile(program, [...args], options, (error, stdout) => resolve(error ? null : stdout));
  });
}
