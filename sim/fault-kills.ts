import { expendable, someForwards, someHop } from './aim.ts';
import type { Fault, FaultContext } from './faults.ts';
import { KINDS, type Kind } from './kind.ts';
import type { Death, FrameEvent } from './network.ts';

const STAGES = ['before', 'during', 'after'] as const;
type Stage = (typeof STAGES)[number];

/** The n-th message of a kind at which the peer dies, at most: about as many as a world has. */
const MOST: Record<Kind, number> = {
  hello: 8,
  session_init: 3,
  session_ack: 3,
  forward_hidden: 45,
  token: 8,
  heartbeat: 3,
  abort_session: 1,
};

const WEIGHT: Partial<Record<Kind, number>> = { token: 7, heartbeat: 8, abort_session: 7 };

export function someDeath({ random }: FaultContext): Death {
  return random.pick(['goodbye', 'crash', 'crash', 'silent'] as const);
}

function killAt(kind: Kind, stage: Stage): Fault {
  return {
    name: `kill ${stage} ${kind}`,
    needs: kind === 'token' ? 'light' : undefined,
    weight: WEIGHT[kind],
    arm(context, hit) {
      const { world, random } = context;
      const wanted = 1 + Math.floor(random.between(0, 1) ** 2 * MOST[kind]);
      let seen = 0;
      let done = false;
      const due = (frame: FrameEvent, victim: string) => {
        if (done || frame.kind !== kind || !world.host(victim) || !world.network.alive(victim)) return false;
        if (++seen < wanted || !expendable(context, [victim])) return false;
        done = true;
        hit();
        return true;
      };
      const kill = (victim: string) => world.kill(victim, someDeath(context));
      const killIn = (ms: number, victim: string) =>
        world.scheduler.after(ms, world.network.world, `${victim} dies`, () => kill(victim));
      world.network.hooks.push({
        sending(frame) {
          if (!due(frame, frame.from)) return true;
          if (stage === 'before') kill(frame.from);
          // The last byte never leaves.
          if (stage === 'during') killIn(random.between(0, 5), frame.from);
          if (stage === 'after') killIn(random.between(0.001, 2), frame.from);
          return stage === 'after';
        },
        arriving(frame) {
          if (stage !== 'before' || !due(frame, frame.to)) return true;
          kill(frame.to);
          return false;
        },
        arrived(frame) {
          if (stage === 'before' || !due(frame, frame.to)) return;
          // Right after its listener returned, or while what the message started still runs.
          if (stage === 'during') kill(frame.to);
          else killIn(random.between(0.01, 40), frame.to);
        },
      });
    },
  };
}

const backupInReplay: Fault = {
  name: 'kill backup during replay',
  weight: 12,
  needs: 'hops',
  arm(context, hit) {
    const { world, watch, random } = context;
    let first: string | null = null;
    let backup: string | null = null;
    let frames = random.integer(0, 2);
    watch.afterForwards(someForwards(context), () => {
      first = someHop(context);
      if (first && expendable(context, [first])) world.kill(first, someDeath(context));
      else first = null;
    });
    watch.onInit((_, hop, fresh) => {
      if (first && fresh && hop.epoch > 0 && world.host(hop.peer)) backup ??= hop.peer;
    });
    world.network.hooks.push({
      arriving(frame) {
        if (!backup || frame.to !== backup || frame.kind !== 'forward_hidden') return true;
        if (frames-- > 0 || !world.network.alive(backup) || !expendable(context, [backup])) return true;
        hit();
        world.kill(backup, someDeath(context));
        first = null;
        return false;
      },
    });
  },
};

const twoNeighbours: Fault = {
  name: 'kill two neighbours at once',
  weight: 9,
  needs: 'hops',
  arm(context, hit) {
    const { world, watch, random } = context;
    const attempt = (tries: number) => {
      const hops = watch.route()?.hops.map(({ peer }) => peer) ?? [];
      const pairs = hops
        .slice(1)
        .map((peer, i) => [hops[i]!, peer])
        .filter((pair) => pair.every((peer) => world.host(peer) && world.network.alive(peer)));
      const pair = pairs.length > 0 ? random.pick(pairs) : null;
      if (pair && expendable(context, pair)) {
        hit();
        for (const peer of pair) world.kill(peer, someDeath(context));
      } else if (tries > 0) watch.afterForwards(watch.forwards + 3, () => attempt(tries - 1));
    };
    watch.afterForwards(someForwards(context), () => attempt(10));
  },
};

export const KILL_FAULTS: readonly Fault[] = [
  ...KINDS.flatMap((kind) => STAGES.map((stage) => killAt(kind, stage))),
  backupInReplay,
  twoNeighbours,
];
