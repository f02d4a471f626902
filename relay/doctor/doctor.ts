import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RelayConfig } from '../config/index.ts';
import { explain } from '../errors.ts';
import { type Asked, ask, localUrl, objectIn, peerIn } from './ask.ts';
import { cuda } from './cuda.ts';
import { dataFolder, dataInUse } from './data.ts';
import { memory, nodeVersion, threads } from './machine.ts';
import { models } from './models.ts';
import { httpPort, peerPorts } from './ports.ts';
import { clock, joined, proxies, publicUrl } from './reach.ts';
import { tls } from './tls.ts';
import type { Check, DoctorContext, Finding, RunningRelay } from './types.ts';

/** In the order in which they are told: this machine first, then the way to others. */
export const CHECKS: readonly Check[] = [
  nodeVersion,
  memory,
  threads,
  cuda,
  dataFolder,
  dataInUse,
  models,
  httpPort,
  peerPorts,
  tls,
  proxies,
  publicUrl,
  joined,
  clock,
];

/** Longer than any deadline inside a check; what takes more hangs. Milliseconds. */
const DEADLINE_MS = 45_000;

export interface DoctorOptions {
  config: RelayConfig;
  signal: AbortSignal;
  /** Default: all. */
  checks?: readonly Check[];
  deadlineMs?: number;
}

/**
 * Looks whether this configuration can work, and changes nothing. All checks run at once; each tells its findings
 * through `onFindings`, in order, as soon as those before it are told.
 * @throws the signal's reason
 */
export async function examine(
  { config, signal, checks = CHECKS, deadlineMs = DEADLINE_MS }: DoctorOptions,
  onFindings: (findings: Finding[]) => void = () => {},
): Promise<Finding[]> {
  const context = contextOf(config, signal);
  const running = checks.map((check) => runCheck(check, context, deadlineMs));
  const all: Finding[] = [];
  for (const one of running) {
    const findings = await unlessAborted(one, signal);
    onFindings(findings);
    all.push(...findings);
  }
  return all;
}

async function runCheck(check: Check, context: DoctorContext, deadlineMs: number): Promise<Finding[]> {
  const { name } = check;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding[]>((resolve) => {
    const seen = `Not known after ${Math.round(deadlineMs / 1000)} s.`;
    timer = setTimeout(() => resolve([{ name, state: 'warn', seen, todo: 'Look again later.' }]), deadlineMs);
  });
  try {
    const findings = check.run(context).then((found) => found.map((finding) => ({ name, ...finding })));
    return await Promise.race([findings, late]);
  } catch (error) {
    // The end of the whole examination is told by `examine`.
    if (context.signal.aborted) return [];
    return [
      { name, state: 'fail', seen: explain(error), todo: 'This check did not work. Tell us about it.' },
    ];
  } finally {
    clearTimeout(timer);
  }
}

function contextOf(config: RelayConfig, signal: AbortSignal): DoctorContext {
  // One entry for each URL in the configuration, of which there are at most 18.
  const answers = new Map<string, Promise<Asked>>();
  const remember = (url: string) => {
    const known = answers.get(url) ?? ask(url, { signal });
    answers.set(url, known);
    return known;
  };
  return {
    config,
    signal,
    ask: remember,
    ownPeer: once(() => peerInKey(join(config.data, 'relay.key'))),
    running: once(() => runningRelay(config, signal)),
  };
}

async function runningRelay(config: RelayConfig, signal: AbortSignal): Promise<RunningRelay | null> {
  if (config.port === 0) return null;
  const local = { signal, anyCertificate: true };
  const health = await ask(`${localUrl(config)}/healthz`, local);
  if (typeof objectIn(health)?.status !== 'string') return null;
  return { peer: peerIn(await ask(`${localUrl(config)}/network.json`, local)) };
}

/** The peer id of the key that the relay keeps; null before the first start, and for what is no key. */
async function peerInKey(file: string): Promise<string | null> {
  const bytes = await readFile(file).catch(() => null);
  if (!bytes) return null;
  try {
    const { privateKeyFromProtobuf } = await import('@libp2p/crypto/keys');
    const { peerIdFromPrivateKey } = await import('@libp2p/peer-id');
    return peerIdFromPrivateKey(privateKeyFromProtobuf(new Uint8Array(bytes))).toString();
  } catch {
    // A broken key is told by the relay itself, which refuses to start with it.
    return null;
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** A check may hang for as long as its deadline; whoever cancels does not wait for it. */
function unlessAborted<T>(job: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    job.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
