import type { EngineInfo, Provenance } from '../sdk/index.ts';

/** Bytes in decimal units, as disks and downloads are sold: `98.4 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** `21 tokens/s`, with a decimal where it says something. */
export function formatSpeed(tokensPerSecond: number): string {
  return `${tokensPerSecond >= 10 ? Math.round(tokensPerSecond) : tokensPerSecond.toFixed(1)} tokens/s`;
}

/** What executes the model, for a reader who knows no build names. */
export function formatBackend(backend: EngineInfo['backend']): string {
  if (backend === 'wasm') return 'WASM';
  if (backend === 'jspi' || backend === 'webgpu') return 'WebGPU';
  return backend;
}

/** One line on how an answer came about: `in this tab · 21 tokens/s · WebGPU`. */
export function formatProvenance(answer: Provenance, backend: EngineInfo['backend'] | null): string {
  const where =
    answer.route === 'local'
      ? 'in this tab'
      : `over the network, ${answer.hops.length} ${answer.hops.length === 1 ? 'hop' : 'hops'}`;
  const parts = [where];
  if (answer.timings.tokens_per_second > 0) parts.push(formatSpeed(answer.timings.tokens_per_second));
  if (backend) parts.push(formatBackend(backend));
  if (answer.recoveries > 0) parts.push('continued after a lost GPU');
  return parts.join(' · ');
}
