import { encodeMessage } from '../src/wire/index.ts';
import { expendable, someForwards, someHop, someLink } from './aim.ts';
import type { Fault, FaultContext } from './faults.ts';
import type { SimEngine } from './sim-engine.ts';
import { read } from './watch.ts';

/** A fault that strikes one hop in the middle of things. */
function atHop(name: string, strike: (context: FaultContext, hop: string) => boolean): Fault {
  return {
    name,
    weight: 8,
    arm(context, hit) {
      const attempt = (tries: number) => {
        const hop = someHop(context);
        if (hop && strike(context, hop)) hit();
        else if (tries > 0) context.watch.afterForwards(context.watch.forwards + 2, () => attempt(tries - 1));
      };
      context.watch.afterForwards(someForwards(context), () => attempt(8));
    },
  };
}

/** A fault that strikes one link that a session uses. */
function atLink(name: string, strike: (context: FaultContext, a: string, b: string) => boolean): Fault {
  return {
    name,
    arm(context, hit) {
      context.watch.afterForwards(someForwards(context), () => {
        const link = someLink(context);
        if (link && strike(context, ...link)) hit();
      });
    },
  };
}

/** Engines in which a peer computes for others; what a client runs for itself stays well. */
function enginesOf({ world }: FaultContext, name: string): SimEngine[] {
  const own = new Set<object>(world.clients.flatMap(({ parts }) => parts));
  return [...world.ledger.engines].filter(
    (engine) => engine.actor.name === name && !engine.disposed && !own.has(engine),
  );
}

const stall = atHop('stall without close', (context, hop) => {
  const ms = context.random.chance(0.3)
    ? context.random.between(100, 3000)
    : context.random.between(4000, 90_000);
  if (ms > 3000 && !expendable(context, [hop])) return false;
  context.world.freeze(hop, ms);
  return true;
});

const stuck = atHop('engine stuck', (context, hop) => {
  const engines = enginesOf(context, hop);
  if (engines.length === 0 || !expendable(context, [hop])) return false;
  const ms = context.random.between(1000, 120_000);
  context.world.distrust(hop, ms);
  for (const engine of engines) engine.stuckUntil = context.world.scheduler.now + ms;
  return true;
});

const engineLost = atHop('engine lost', (context, hop) => {
  const engines = enginesOf(context, hop);
  if (engines.length === 0 || !expendable(context, [hop])) return false;
  context.world.distrust(hop);
  for (const engine of engines) engine.lost = true;
  return true;
});

const drain = atHop('drain mid-turn', (context, hop) => {
  const { world } = context;
  const peer = world.host(hop)!;
  if (peer.draining || peer.untrustedUntil > world.scheduler.now || !expendable(context, [hop])) return false;
  peer.draining = true;
  world.noteCover();
  peer.host.drain(world.model.cid, peer.plan.slice).catch((error: unknown) => {
    world.broken.push(`drain failed: ${error instanceof Error ? error.message : 'no error'}`);
  });
  return true;
});

const clockJump: Fault = {
  name: 'clock jump',
  arm(context, hit) {
    const { world, watch, random } = context;
    watch.afterForwards(someForwards(context), () => {
      const client = random.pick(world.clients);
      const hop = someHop(context);
      const clock = random.chance(0.5) && hop ? world.host(hop)!.clock : client.clock;
      for (const peer of world.clients) if (peer.clock === clock) peer.sleptUntil = world.scheduler.now;
      clock.jump(random.chance(0.5) ? random.between(1000, 40_000) : random.between(60_000, 4_000_000));
      hit();
    });
  },
};

const halfOpen = atLink('half-open link', ({ world, random }, a, b) =>
  random.chance(0.5)
    ? world.network.breakLink(a, b, 'half-open')
    : world.network.breakLink(b, a, 'half-open'),
);
const linkClosed = atLink('link closed', ({ world }, a, b) => world.network.breakLink(a, b, 'closed'));
const linkStalled = atLink('link stalled', ({ world, random }, a, b) =>
  world.network.breakLink(a, b, 'stalled', random.between(100, 8000)),
);

const slowReader = atLink('slow reader', ({ world, random }, a, b) => {
  const way = world.network.peer(a).connections.get(b)!.from(a);
  way.slowness = random.between(50, 1500);
  way.slowUntil = world.scheduler.now + random.between(500, 8000);
  return true;
});

const staleRecords: Fault = {
  name: 'stale records',
  arm(context, hit) {
    const { world, random } = context;
    world.directory.stale = true;
    const names = random.shuffled(world.hosts.map(({ plan }) => plan.name)).slice(0, random.integer(1, 2));
    for (const name of names) if (expendable(context, [name])) world.kill(name, 'silent');
    world.directory.onStale = () => {
      world.directory.onStale = null;
      hit();
    };
  },
};

const capacity: Fault = {
  name: 'capacity refused',
  weight: 5,
  needs: 'scarce',
  arm({ watch }, hit) {
    watch.onAbort((_, code) => {
      if (code === 'refused-full') hit();
    });
  },
};

const version: Fault = {
  name: 'version mismatch',
  weight: 5,
  arm(context, hit) {
    const { world, random } = context;
    const clients = world.clients.map(({ plan }) => plan.name);
    const other = random.pick(world.hosts);
    if (clients.includes(other.plan.name) || !expendable(context, [other.plan.name])) return;
    world.distrust(other.plan.name);
    const told = new Set<string>();
    world.network.hooks.push({
      sending(frame) {
        if (frame.from !== other.plan.name || frame.kind !== 'hello') return true;
        const hello = read(frame);
        if (hello?.kind === 'hello') frame.bytes = encodeMessage({ ...hello, proto_ver: 2 });
        return true;
      },
      arrived(frame) {
        if (frame.from !== other.plan.name || frame.kind !== 'hello' || told.has(frame.to)) return;
        told.add(frame.to);
        hit();
      },
    });
  },
};

const cancel: Fault = {
  name: 'cancel',
  arm(context, hit) {
    const { world, watch, random, conversations } = context;
    const stop = () => {
      const running = conversations.filter((conversation) => conversation.stop);
      if (running.length === 0) return;
      hit();
      random.pick(running).abort();
    };
    if (random.chance(0.3)) world.scheduler.after(random.between(0, 1500), world.network.world, 'stop', stop);
    else
      watch.afterForwards(someForwards(context), () => {
        world.scheduler.after(random.between(0, 30), world.network.world, 'stop', stop);
      });
  },
};

const clientGone: Fault = {
  name: 'client gone',
  arm(context, hit) {
    const { world, watch, random } = context;
    watch.afterForwards(someForwards(context), () => {
      const client = random.pick(world.clients);
      if (client.dead) return;
      hit();
      world.kill(client.plan.name, random.pick(['goodbye', 'crash', 'silent'] as const));
    });
  },
};

const clientFrozen: Fault = {
  name: 'client frozen',
  arm(context, hit) {
    const { world, watch, random } = context;
    watch.afterForwards(someForwards(context), () => {
      const client = random.pick(world.clients);
      if (client.dead) return;
      hit();
      world.freeze(client.plan.name, random.between(200, 60_000));
    });
  },
};

const relayAway: Fault = {
  name: 'relay away',
  arm(context, hit) {
    const { world, watch, random } = context;
    watch.afterForwards(someForwards(context), () => {
      hit();
      const ms = random.between(1000, 20_000);
      world.directory.silentUntil = world.scheduler.now + ms;
      world.network.noDials = true;
      world.scheduler.after(ms, world.network.world, 'relay is back', () => {
        world.network.noDials = false;
      });
    });
  },
};

export const PEER_FAULTS: readonly Fault[] = [
  stall,
  stuck,
  engineLost,
  drain,
  clockJump,
  halfOpen,
  linkClosed,
  linkStalled,
  slowReader,
  staleRecords,
  capacity,
  version,
  cancel,
  clientGone,
  clientFrozen,
  relayAway,
];
