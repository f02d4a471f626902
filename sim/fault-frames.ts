import { encodeMessage, type ForwardHidden } from '../src/wire/index.ts';
import { expendable, someForwards, someStranger } from './aim.ts';
import type { Fault, FaultContext } from './faults.ts';
import type { FrameEvent } from './network.ts';
import type { Random } from './random.ts';
import { read } from './watch.ts';

/** Hands a copy of a frame over once more, whatever became of its connection. */
function again(
  { world }: FaultContext,
  { from, to, bytes }: FrameEvent,
  ms: number,
  arrived?: () => void,
): void {
  const receiver = world.network.peer(to);
  world.scheduler.after(ms, receiver.actor, `${from} > ${to} again`, () => {
    arrived?.();
    receiver.receive(from, bytes, null, true);
  });
}

/** A frame is held until its receiver was told a newer epoch; the link it came over is cut, so that there is one. */
const late: Fault = {
  name: 'late frame of an older epoch',
  weight: 12,
  needs: 'hops',
  arm(context, hit) {
    const { world, watch, random } = context;
    let wanted = someForwards(context);
    let held: FrameEvent | null = null;
    const lose = random.chance(0.5);
    world.network.hooks.push({
      arriving(frame) {
        if (held || frame.again || frame.kind !== 'forward_hidden' || !world.host(frame.to) || --wanted > 0)
          return true;
        held = { ...frame, bytes: frame.bytes.slice() };
        world.network.breakLink(frame.from, frame.to, 'closed');
        return !lose;
      },
    });
    let times = random.integer(1, 3);
    watch.onInit((frame, _hop, fresh, session) => {
      if (!held || frame.to !== held.to || times <= 0) return;
      const message = read(held);
      if (message?.kind !== 'forward_hidden' || message.session_id !== session) return;
      const expected = watch.inEpoch(message.session_id, held.to) ?? 0;
      if ((message.epoch ?? 0) >= expected) return;
      times--;
      const release = held;
      const { host } = world.host(held.to)!;
      let dropped = 0;
      // At once, or when the rows have come again.
      again(context, held, random.chance(0.5) ? 0.001 : random.between(0.01, 150), () => {
        hit();
        dropped = host.status().counters.droppedFrames;
        world.scheduler.after(0, world.network.world, 'dropped?', () => {
          // A session that was just opened anew, or closed, does not know the frame and does not count it.
          const open = !fresh && watch.hops(session).some(({ peer }) => peer === release.to);
          if (open && world.network.alive(release.to) && host.status().counters.droppedFrames === dropped)
            world.broken.push(`${release.to} did not drop a frame of an older epoch`);
        });
      });
    });
  },
};

/** Frames of one stretch come twice, the second time a little later. */
const duplicated: Fault = {
  name: 'duplicated frames',
  weight: 4,
  arm(context, hit) {
    const { world, random } = context;
    let wanted = someForwards(context);
    let left = random.integer(1, 12);
    const kinds = random.chance(0.7)
      ? ['forward_hidden', 'token']
      : ['forward_hidden', 'token', 'heartbeat', 'session_ack'];
    world.network.hooks.push({
      arriving(frame) {
        if (frame.again || !kinds.includes(frame.kind) || left <= 0 || --wanted > 0) return true;
        left--;
        again(
          context,
          { ...frame },
          random.chance(0.2) ? random.between(50, 4000) : random.between(0, 50),
          hit,
        );
        return true;
      },
    });
  },
};

/** A frame is overtaken by the next ones of its link. */
const reordered: Fault = {
  name: 'reordered frames',
  weight: 7,
  arm(context, hit) {
    const { world, random } = context;
    let wanted = Math.ceil(someForwards(context) / 2);
    let left = random.integer(1, 3);
    let held: FrameEvent | null = null;
    world.network.hooks.push({
      arriving(frame) {
        if (held || frame.again || frame.kind !== 'forward_hidden' || left <= 0 || --wanted > 0) return true;
        left--;
        held = { ...frame };
        const release = held;
        // With nothing behind it, it is only late.
        world.scheduler.after(random.between(5, 400), world.network.world, 'overtaken', () => {
          if (held !== release) return;
          held = null;
          again(context, release, 0);
        });
        return false;
      },
      arrived(frame) {
        if (!held || frame.from !== held.from || frame.to !== held.to || frame.kind !== 'forward_hidden')
          return;
        const release = held;
        held = null;
        again(context, release, 0.001, hit);
      },
    });
  },
};

/** A hop sends rows that no honest engine computes; for good, or once. */
function spoiled(
  name: string,
  spoil: (frame: FrameEvent, message: ForwardHidden, random: Random) => void,
): Fault {
  return {
    name,
    weight: 8,
    arm(context, hit) {
      const { world, watch, random } = context;
      let culprit: string | null = null;
      let left = random.chance(0.5) ? 1 : 1000;
      watch.afterForwards(someForwards(context), () => {
        culprit = someStranger(context);
        if (!culprit || !expendable(context, [culprit])) culprit = null;
        else world.distrust(culprit);
      });
      world.network.hooks.push({
        sending(frame) {
          if (frame.from !== culprit || frame.kind !== 'forward_hidden' || left <= 0) return true;
          const message = read(frame);
          if (message?.kind !== 'forward_hidden' || message.dtype === 'tokens') return true;
          left--;
          spoil(frame, message, random);
          hit();
          return true;
        },
      });
    },
  };
}

const nan = spoiled('NaN from a hop', (frame, message, random) => {
  const bytes = frame.bytes.slice();
  // The payload is a view of the body that `read` took from this frame.
  const at = 4 + message.payload.byteOffset + 4 * random.integer(0, message.payload.length / 4 - 1);
  new DataView(bytes.buffer).setFloat32(at, random.pick([Number.NaN, Infinity, -Infinity]), true);
  frame.bytes = bytes;
});

const wrongShape = spoiled('wrong shape from a hop', (frame, message, random) => {
  const [batch, rows, width] = message.shape;
  const grown = (bytes: number) => {
    const payload = new Uint8Array(bytes);
    payload.set(message.payload.subarray(0, bytes));
    return payload;
  };
  const wider = width + random.integer(1, 4);
  frame.bytes = encodeMessage({ ...message, shape: [batch, rows, wider], payload: grown(4 * rows * wider) });
});

const garbage: Fault = {
  name: 'garbage from a hop',
  arm(context, hit) {
    const { world, watch, random } = context;
    let culprit: string | null = null;
    let left = random.integer(1, 3);
    watch.afterForwards(someForwards(context), () => {
      culprit = someStranger(context);
      if (!culprit || !expendable(context, [culprit])) culprit = null;
      else world.distrust(culprit);
    });
    world.network.hooks.push({
      sending(frame) {
        if (frame.from !== culprit || left <= 0) return true;
        left--;
        frame.bytes = Uint8Array.from({ length: random.integer(5, 90) }, () => random.integer(0, 255));
        hit();
        return true;
      },
    });
  },
};

export const FRAME_FAULTS: readonly Fault[] = [late, duplicated, reordered, nan, wrongShape, garbage];
