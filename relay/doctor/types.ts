import type { RelayConfig } from '../config/index.ts';
import type { Asked } from './ask.ts';

/** `warn`: it works, but not as well as it could, or only in part. */
export type FindingState = 'ok' | 'warn' | 'fail';

export interface Finding {
  /** What was looked at, in a word or two. */
  name: string;
  state: FindingState;
  /** What was seen, in a sentence. */
  seen: string;
  /** What to do about it; null when there is nothing. */
  todo: string | null;
}

/** A relay that answers where this configuration would listen. */
export interface RunningRelay {
  /** Peer id; null while it is not in the network. */
  peer: string | null;
}

/** What the checks share; whatever several of them want to know is looked up once. */
export interface DoctorContext {
  config: RelayConfig;
  signal: AbortSignal;
  /** GET, once for each URL. */
  ask(url: string): Promise<Asked>;
  /** This relay's peer id, from the key in the data folder; null before the first start. */
  ownPeer(): Promise<string | null>;
  /** The relay that runs here; null when none does. */
  running(): Promise<RunningRelay | null>;
}

export interface Check {
  name: string;
  /** Errors are findings too: what it throws is told as a failure. */
  run(context: DoctorContext): Promise<Omit<Finding, 'name'>[]>;
}

export const ok = (seen: string) => ({ state: 'ok' as const, seen, todo: null });
export const warn = (seen: string, todo: string | null) => ({ state: 'warn' as const, seen, todo });
export const fail = (seen: string, todo: string) => ({ state: 'fail' as const, seen, todo });
