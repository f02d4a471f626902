import type { FaultContext } from './faults.ts';

/** About as many frames as a turn has, small numbers more often. */
export function someForwards({ random }: FaultContext): number {
  return 1 + Math.floor(random.between(0, 1) ** 2 * 45);
}

/** A hop that now runs, by chance; none of the client's own. */
export function someHop({ world, watch, random }: FaultContext): string | null {
  const hops = watch.route()?.hops.filter(({ peer }) => world.host(peer) && world.network.alive(peer));
  return hops?.length ? random.pick(hops).peer : null;
}

/** The same, but never a peer that is a client as well: it would only fool itself. */
export function someStranger(context: FaultContext): string | null {
  const hop = someHop(context);
  return context.world.clients.some(({ plan }) => plan.name === hop) ? null : hop;
}

/** Two peers with a link that a session uses: client and hop, or hop and hop. */
export function someLink({ world, watch, random }: FaultContext): [string, string] | null {
  const route = watch.route();
  if (!route) return null;
  const line = [route.client, ...route.hops.map(({ peer }) => peer), route.client];
  const pairs = line.slice(1).map((peer, i): [string, string] => [line[i]!, peer]);
  const linked = pairs.filter(([a, b]) => world.network.peers.get(a)?.connections.has(b));
  return linked.length > 0 ? random.pick(linked) : null;
}

/** Whether the others still cover the model without these; sometimes a world may lose its last cover. */
export function expendable({ world, random }: FaultContext, names: readonly string[]): boolean {
  const left = world.serving().filter(({ plan }) => !names.includes(plan.name));
  return world.clients.every((client) => world.covers(client, left)) || random.chance(0.05);
}
