import type { Conversation } from './conversation.ts';
import { FRAME_FAULTS } from './fault-frames.ts';
import { KILL_FAULTS } from './fault-kills.ts';
import { PEER_FAULTS } from './fault-peers.ts';
import type { Random } from './random.ts';
import type { Need } from './scenario.ts';
import type { Watch } from './watch.ts';
import type { World } from './world.ts';

/** What a fault may act on. */
export interface FaultContext {
  world: World;
  watch: Watch;
  random: Random;
  conversations: readonly Conversation[];
}

/** One thing that goes wrong. `arm` prepares it; it calls `hit` when it really happened. */
export interface Fault {
  name: string;
  /** What the scenario must have for it to be able to happen. */
  needs?: Need;
  /** How many seeds it gets in a round; 6 when not said. Some faults find their moment less often than others. */
  weight?: number;
  arm(context: FaultContext, hit: () => void): void;
}

/** Every kind of fault; each is counted when it hits. */
export const FAULTS: readonly Fault[] = [...KILL_FAULTS, ...PEER_FAULTS, ...FRAME_FAULTS];

/** One after another, each as often as it is worth: seed by seed through this list, none is missed. */
export const ROUND: readonly Fault[] = FAULTS.flatMap((fault) =>
  Array.from({ length: fault.weight ?? 6 }, () => fault),
);
