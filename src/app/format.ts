import type { EngineInfo, Provenance, Sharing } from '../sdk/index.ts';

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
export function formatBackend(backend: string): string {
  if (backend === 'wasm') return 'WASM';
  if (backend === 'jspi' || backend === 'webgpu') return 'WebGPU';
  if (backend === 'node-cpu') return 'CPU';
  if (backend === 'node-cuda') return 'CUDA';
  return backend;
}

/** One line on how an answer came about: `in this tab · 21 tokens/s · WebGPU`. */
export function formatProvenance(answer: Provenance, backend: EngineInfo['backend'] | null): string {
  const { timings, recoveries } = answer;
  const speed = timings.tokens_per_second > 0 ? [formatSpeed(timings.tokens_per_second)] : [];
  if (answer.route === 'local') {
    const lost = recoveries > 0 ? ['continued after a lost GPU'] : [];
    return ['in this tab', ...speed, ...(backend ? [formatBackend(backend)] : []), ...lost].join(' · ');
  }
  const { compute_ms_per_token: compute, wire_ms_per_token: wire } = timings;
  const parts = [overPeers(answer.hops), ...speed];
  if (compute > 0 || wire > 0) {
    parts.push(`compute ${formatMs(compute)} + wire ${formatMs(wire)} per token`);
  }
  if (recoveries > 0) parts.push(`${recoveries} ${recoveries === 1 ? 'recovery' : 'recoveries'}`);
  if (answer.privacy === 'light') parts.push('light privacy');
  return parts.join(' · ');
}

/** `over 3 peers (1 relayed)`; a part that this tab ran as a peer of its own is told apart. */
function overPeers(hops: Provenance['hops']): string {
  const own = hops.some(({ path }) => path === 'local');
  const others = hops.filter(({ path }) => path !== 'local');
  const relayed = others.filter(({ path }) => path === 'relayed').length;
  if (others.length === 0) return own ? 'in this tab, as its own peer' : 'over the network';
  const count = `over ${others.length} ${others.length === 1 ? 'peer' : 'peers'}`;
  const note = relayed > 0 ? ` (${relayed} relayed)` : '';
  return `${count}${note}${own ? ' and this tab' : ''}`;
}

/** Milliseconds, with a decimal where it says something. */
export function formatMs(ms: number): string {
  return `${ms >= 10 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

/** `10 to 19` for `[10, 20)`: in words the last one is named, as in the messages of chains. */
export function formatRange({ start, end }: { start: number; end: number }): string {
  return end - start === 1 ? `${start}` : `${start} to ${end - 1}`;
}

/** `layers 10 to 19`, or `layer 10`. */
export function formatLayers(range: { start: number; end: number }): string {
  return `${range.end - range.start === 1 ? 'layer' : 'layers'} ${formatRange(range)}`;
}

/** The end of a peer id, which is where ids differ. */
export function formatPeer(peer: string): string {
  return `…${peer.slice(-6)}`;
}

/** What a device lends, in one line. */
export function formatHeld({ start, end, model, backend }: Sharing): string {
  const by = backend === null ? '' : `, ${formatBackend(backend)}`;
  return `${formatLayers({ start, end })} of ${model}${by}`;
}

/** What it did for others. */
export function formatServed({ sessions, servedTokens, servedPositions }: Sharing): string {
  const now = `${sessions} ${sessions === 1 ? 'conversation' : 'conversations'} now`;
  if (servedPositions === 0) return sessions > 0 ? now : 'nobody has asked yet';
  return `${now} · ${servedTokens} ${servedTokens === 1 ? 'token' : 'tokens'} so far`;
}
