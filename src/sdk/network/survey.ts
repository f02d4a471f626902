import type { PeerAddress } from '../../swarm/index.ts';
import type { ModelEntry } from '../types.ts';
import { coverageOf } from './coverage.ts';
import { AGENT, greetAll } from './greet.ts';
import { linksOfOthers } from './links-of-others.ts';
import type { Joined } from './member.ts';
import type { LinkOfOthers, ModelCoverage, PeerSnapshot } from './types.ts';

/** Peers greeted for one survey: what a table still shows, and a link to each costs little. */
const MOST_PEERS = 64;
/** Models asked for: each is one question to the DHT. */
const MOST_MODELS = 8;

export type SurveyedModel = Pick<ModelEntry, 'cid' | 'name' | 'layers'>;

export interface Survey {
  peers: PeerSnapshot[];
  coverage: ModelCoverage[];
  /** Empty unless they were asked for. */
  linksOfOthers: LinkOfOthers[];
}

/**
 * Asks the directory who holds these models, and everyone it names what exactly.
 * @param options `links`: also who is linked to whom, of which the relays know most
 */
export async function survey(
  { swarm, host }: Joined,
  models: readonly SurveyedModel[],
  { signal, links = false }: { signal: AbortSignal; links?: boolean },
): Promise<Survey> {
  const asked = models.slice(0, MOST_MODELS);
  const found = new Map<string, PeerAddress>();
  const holders = await Promise.all(
    asked.map(({ cid, layers }) =>
      swarm.directory
        .holders({ cid, layers }, { start: 0, end: layers }, { signal })
        // Without a relay nobody can be looked up; those who are linked can still be asked.
        .catch(() => []),
    ),
  );
  const linked = swarm.transport.links().map(({ peer }) => ({ peer, addrs: [] }));
  const relays = links ? relaysOf(swarm).map((peer) => ({ peer, addrs: [] })) : [];
  for (const address of [...relays, ...holders.flat(), ...linked]) {
    if (found.has(address.peer)) continue;
    if (address.peer !== swarm.peer && found.size < MOST_PEERS) found.set(address.peer, address);
  }
  const greeted = await greetAll(swarm, [...found.values()], { signal, links });
  const lenders = greeted.filter(({ hello }) => (hello.offers?.length ?? 0) > 0);
  const peers: PeerSnapshot[] = lenders.map(({ peer, hello }) => ({
    peer,
    agent: hello.agent ?? '',
    self: false,
    offers: hello.offers ?? [],
  }));
  const own = host.status().slices.filter(({ announced }) => announced);
  if (own.length > 0) {
    peers.unshift({ peer: swarm.peer, agent: AGENT, self: true, offers: own.map(({ offer }) => offer) });
  }
  return {
    peers,
    coverage: asked.map((model) => coverageOf(model, peers)),
    linksOfOthers: linksOfOthers(swarm.peer, greeted),
  };
}

/** Peer ids of the relays that are connected now. */
function relaysOf(swarm: Pick<Joined['swarm'], 'status'>): string[] {
  return swarm
    .status()
    .relays.filter(({ state }) => state === 'connected')
    .map(({ peer }) => peer);
}
