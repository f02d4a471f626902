import type { World } from './world.ts';

/** Milliseconds in which what a client closes is closed at hops that it can reach. */
const CLOSE_MS = 10_000;
/** To close waits for what an engine computes, and one that is stuck comes back within this. */
const FINISH_MS = 150_000;
/** A chain that nobody waits for any more is opened or given up within this. */
const OPEN_MS = 60_000;
/** The hosts' idle limit, and a little. */
const IDLE_MS = 700_000;

/** After all turns: each client gives everything back, and has nothing left. */
export async function checkClients(world: World): Promise<void> {
  for (const client of world.clients) {
    if (client.dead) continue;
    const { chains, host, plan, clock, transport } = client;
    const { actor } = transport;
    await world.finish(actor, client.shared?.catch(() => undefined) ?? Promise.resolve(), OPEN_MS);
    await world.finish(actor, Promise.all(chains.map((chain) => chain.dispose())), FINISH_MS);
    await world.finish(actor, host?.close('the tab closes') ?? Promise.resolve(), FINISH_MS);
    await world.finish(actor, Promise.all(client.parts.map((engine) => engine.dispose())), FINISH_MS);
    // Farewells to peers that do not answer are given up within this.
    await world.scheduler.run(() => false, world.scheduler.now + CLOSE_MS);
    if (actor.state === 'dead') continue;
    if (clock.pending > 0) world.broken.push(`${plan.name} left ${clock.pending} timers`);
    if (transport.listeners > 0) world.broken.push(`${plan.name} left ${transport.listeners} listeners`);
    if (transport.held > 0) world.broken.push(`${plan.name} left ${transport.held} frames being sent`);
    for (const engine of world.ledger.engines)
      if (engine.actor === transport.actor && engine.sessions.size > 0)
        world.broken.push(`${plan.name} left ${engine.sessions.size} sessions in its own engine`);
  }
}

/** Long after the last frame no host keeps a session, whatever it missed. */
export async function checkIdle(world: World): Promise<void> {
  // With nothing but deaths every survivor was told: there is nothing to wait for.
  const plain = [...world.hits.keys()].every((name) => /^(kill|mode|cancel|stale|drain)/.test(name));
  await world.scheduler.run(() => false, world.scheduler.now + CLOSE_MS);
  if (plain) countSessions(world, 'after the clients closed them');
  await world.scheduler.run(() => false, world.scheduler.now + IDLE_MS);
  countSessions(world, 'after the idle limit');
}

function countSessions(world: World, when: string): void {
  for (const { host, plan, transport } of world.hosts) {
    if (transport.actor.state !== 'running') continue;
    const { sessions } = host.status();
    if (sessions > 0) world.broken.push(`${plan.name} has ${sessions} sessions ${when}`);
    for (const engine of world.ledger.engines)
      if (engine.actor === transport.actor && engine.sessions.size > 0 && !engine.lost)
        world.broken.push(`${plan.name} has ${engine.sessions.size} caches ${when}`);
  }
}

/** Hosts close: nothing is left of them. */
export async function checkHosts(world: World): Promise<void> {
  for (const { host, plan, clock, transport } of world.hosts) {
    if (transport.actor.state !== 'running') continue;
    await world.until(host.close('the test is over'), FINISH_MS);
    if (clock.pending > 0) world.broken.push(`${plan.name} left ${clock.pending} timers`);
    if (transport.listeners > 0) world.broken.push(`${plan.name} left ${transport.listeners} listeners`);
    for (const engine of world.ledger.engines)
      if (engine.actor === transport.actor && !(engine.disposed && engine.sessions.size === 0))
        world.broken.push(`${plan.name} left an engine`);
  }
  world.broken.push(...world.ledger.wrong);
}

export function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no error';
}
