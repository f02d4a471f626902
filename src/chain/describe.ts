import { backupsFor, type PlannedHop } from './plan.ts';
import type { ChainContext } from './state.ts';
import type { ChainHop } from './types.ts';

/** The hops of a chain as the page shows them. */
export function describeHops(context: ChainContext, hops: readonly PlannedHop[]): ChainHop[] {
  return hops.map((hop) => describeHop(context, hop, hops));
}

function describeHop(context: ChainContext, hop: PlannedHop, all: readonly PlannedHop[]): ChainHop {
  const { control, finder, standIn, options, layers, maxTokens, limits, span } = context;
  const { peer } = hop.candidate.address;
  const link = control.transport.link(peer);
  const local = peer === control.transport.self;
  const taken = new Set(all.map((one) => one.candidate.address.peer));
  const request = {
    range: hop,
    embed: span.embed,
    head: span.head,
    layers,
    maxTokens,
    standIn,
    candidates: finder.known(),
  };
  return {
    peer,
    start: hop.start,
    end: hop.end,
    path: local ? 'local' : (link?.path ?? hop.candidate.path),
    roundTripMs: local ? 0 : (link?.roundTripMs ?? hop.candidate.roundTripMs),
    backend: hop.offer.backend,
    backups: backupsFor(hop, request, taken, limits.candidates - 1).filter(
      ({ address }) => !options.exclude?.includes(address.peer),
    ).length,
  };
}
