import type { Engine } from '../src/engine/index.ts';
import type { Actor } from './scheduler.ts';

/** An engine of one peer of a world, as faults and invariants see it. */
export interface SimEngine extends Engine {
  readonly actor: Actor;
  /** Sessions that are open in it. */
  readonly sessions: { readonly size: number };
  readonly disposed: boolean;
  /** Every call from now on fails: the GPU went away. */
  lost: boolean;
  /** No call ends before this time. */
  stuckUntil: number;
}
