import type { Hex32, Part, PeerAddress, SamplingState, SessionInit } from '../wire/index.ts';
import type { PlannedHop } from './plan.ts';

/** Bytes of the unused key of IntelNav's messages. */
const KEY_BYTES = 32;

/** One peer of a session's chain. */
export interface Hop extends PlannedHop {
  readonly peer: string;
  readonly address: PeerAddress;
  /** It has answered a session_init. */
  opened: boolean;
  /** Positions that it holds, as it said last. */
  length: number;
  /** Why it has to be replaced. */
  lost: string | null;
  /** The hop before it cannot reach it: it is asked whether it lives. */
  suspect: boolean;
  /** Where it was last told to send its outputs. */
  told: { next: PeerAddress; epoch: number };
}

/** The way into a hop, and the last one into the client. */
export interface Link {
  /** Frames of another epoch are dropped at its end. */
  epoch: number;
  /** It has to be made anew. */
  broken: boolean;
  /** Times it was made anew with the same peers at its ends since something came through. */
  nudges: number;
}

/** A run of hops, by index; `to` is exclusive. */
export interface Run {
  from: number;
  to: number;
}

/** The hops of one session and the links between them: `links[i]` leads into `hops[i]`, the last one to the client. */
export class Route {
  hops: Hop[] = [];
  links: Link[] = [{ epoch: 0, broken: true, nudges: 0 }];
  /** Of session_init messages: rises with each, so that an answer tells which one it is for. */
  epoch = 0;

  get tail(): Hop | undefined {
    return this.hops.at(-1);
  }

  /** The link from the last hop to the client. */
  get answers(): Link {
    return this.links.at(-1)!;
  }

  get troubled(): boolean {
    return (
      this.hops.some((hop) => hop.lost !== null || hop.suspect) || this.links.some((link) => link.broken)
    );
  }

  hopOf(peer: string): Hop | undefined {
    return this.hops.find((hop) => hop.peer === peer);
  }

  indexOf(hop: Hop): number {
    return this.hops.indexOf(hop);
  }

  /** Runs of hops that have to be replaced. */
  lostRuns(): Run[] {
    const runs: Run[] = [];
    this.hops.forEach((hop, i) => {
      if (hop.lost === null) return;
      const last = runs.at(-1);
      if (last?.to === i) last.to++;
      else runs.push({ from: i, to: i + 1 });
    });
    return runs;
  }

  /** Puts other hops in the place of a run; every link that touches them has to be made. */
  replace({ from, to }: Run, planned: readonly PlannedHop[]): void {
    const hops = planned.map((hop) => ({
      ...hop,
      peer: hop.candidate.address.peer,
      address: hop.candidate.address,
      opened: false,
      length: 0,
      lost: null,
      suspect: false,
      told: { next: hop.candidate.address, epoch: 0 },
    }));
    const links = Array.from({ length: hops.length + 1 }, () => ({ epoch: 0, broken: true, nudges: 0 }));
    this.hops.splice(from, to - from, ...hops);
    this.links.splice(from, to - from + 1, ...links);
  }
}

/** What session_init says of the session as a whole. */
export interface SessionFacts {
  sessionId: Hex32;
  cid: string;
  maxTokens: number;
  generation: number;
  /** Positions that stay in this generation. */
  cut: number;
  sampling: SamplingState | undefined;
  /** Type of the hidden states on the wire; undefined: the hop's own. */
  dtype: 'fp32' | 'fp16' | 'int8' | undefined;
}

export interface InitRoute {
  epoch: number;
  prev: PeerAddress;
  inEpoch: number;
  next: PeerAddress;
  outEpoch: number;
  replay?: { from: number; deliver_from: number; answer_from: number };
}

export function initMessage(facts: SessionFacts, part: Part & PlannedHop, route: InitRoute): SessionInit {
  return {
    kind: 'session_init',
    session_id: facts.sessionId,
    client_x25519_pub: new Uint8Array(KEY_BYTES),
    model_cid: facts.cid,
    layer_range: { start: part.start, end: part.end },
    max_seq: facts.maxTokens,
    epoch: route.epoch,
    generation: facts.generation,
    prev: route.prev,
    next: route.next,
    in_epoch: route.inEpoch,
    out_epoch: route.outEpoch,
    embed: part.embed,
    head: part.head,
    dtype: facts.dtype ?? (part.offer.precision === 'float16' ? 'fp16' : 'fp32'),
    ...(facts.generation > 0 && { kv_truncate_to: facts.cut }),
    ...(facts.sampling && { sampling: facts.sampling }),
    ...(route.replay && { replay: route.replay }),
  };
}
