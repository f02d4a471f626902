import type { Link } from '../swarm/index.ts';
import { type Hello, type LinkReport, MAX_LINKS, type Offer, PROTOCOL_VERSION } from '../wire/index.ts';

/** Weight types that the engines of this program run; IntelNav's names. */
const QUANTS = ['Q4_K_M', 'Q5_K_M', 'Q8_0', 'fp16', 'bf16'];

interface Self {
  publicKey: string;
  agent: string;
}

/** Says who this is, and opens a link by that. Nothing is answered. */
export function greeting({ publicKey, agent }: Self): Hello {
  return {
    kind: 'hello',
    peer_id: publicKey,
    proto_ver: PROTOCOL_VERSION,
    supported_quants: QUANTS,
    agent,
  };
}

/** What the answer to a `hello` tells of this peer. */
interface Told {
  offers: Offer[];
  /** Read only when they are asked for. */
  links: () => readonly Link[];
}

/** The answer to a `hello` that asks. A peer of another version gets one as well: it has to see that it is another. */
export function answerTo(hello: Hello, self: Self, { offers, links }: Told): Hello {
  return {
    ...greeting(self),
    ...(hello.nonce !== undefined && { nonce: hello.nonce }),
    offers,
    ...(hello.want_links && { links: reported(links()) }),
  };
}

/** Links that lead to somebody, as many as a message takes: the fastest, and those not measured yet last. */
function reported(links: readonly Link[]): LinkReport[] {
  return links
    .flatMap(({ peer, path, roundTripMs }) =>
      path === 'local' || path === 'none' ? [] : [{ peer, path, round_trip_ms: roundTripMs }],
    )
    .sort((a, b) => (a.round_trip_ms ?? Number.MAX_VALUE) - (b.round_trip_ms ?? Number.MAX_VALUE))
    .slice(0, MAX_LINKS);
}
