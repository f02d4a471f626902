import { decodeMessage, type Message } from '../src/wire/index.ts';
import type { FrameEvent, FrameHook, Network } from './network.ts';

interface Hop {
  peer: string;
  start: number;
  end: number;
  epoch: number;
}

/** Reads along: which peers a session runs through now. Faults aim with it; nothing under test sees it. */
export class Watch implements FrameHook {
  /** By session id. */
  readonly sessions = new Map<string, { client: string; hops: Hop[] }>();
  /** Frames of hidden states handed to anybody. */
  forwards = 0;
  readonly #inEpochs = new Map<string, number>();
  readonly #afterForward: { count: number; run: () => void }[] = [];
  readonly #onInit: ((frame: FrameEvent, hop: Hop, fresh: boolean, session: string) => void)[] = [];
  readonly #onAbort: ((frame: FrameEvent, code: string) => void)[] = [];

  constructor(network: Network) {
    network.hooks.push(this);
  }

  /** Runs once, right after so many frames of hidden states were handed over. */
  afterForwards(count: number, run: () => void): void {
    this.#afterForward.push({ count, run });
  }

  onInit(run: (frame: FrameEvent, hop: Hop, fresh: boolean, session: string) => void): void {
    this.#onInit.push(run);
  }

  onAbort(run: (frame: FrameEvent, code: string) => void): void {
    this.#onAbort.push(run);
  }

  /** The epoch of frames that a peer was told to expect. */
  inEpoch(session: string, peer: string): number | undefined {
    return this.#inEpochs.get(`${session} ${peer}`);
  }

  /** Hops of the newest session that has any, in order. */
  route(): { client: string; hops: Hop[] } | null {
    return [...this.sessions.values()].filter(({ hops }) => hops.length > 0).at(-1) ?? null;
  }

  /** Peers that a session is open at now, as far as frames tell. */
  hops(session: string): readonly Hop[] {
    return this.sessions.get(session)?.hops ?? [];
  }

  arrived(frame: FrameEvent): void {
    if (frame.kind === 'forward_hidden') {
      this.forwards++;
      for (const [i, { count, run }] of this.#afterForward.entries()) {
        if (this.forwards < count) continue;
        this.#afterForward.splice(i, 1);
        run();
        break;
      }
    } else if (frame.kind === 'session_init') this.#init(frame);
    else if (frame.kind === 'abort_session') this.#abort(frame);
  }

  /** A hop closes the sessions of a client that it lost. */
  lost(end: string, other: string): void {
    for (const session of this.sessions.values())
      if (session.client === other) session.hops = session.hops.filter(({ peer }) => peer !== end);
  }

  #init(frame: FrameEvent): void {
    const message = read(frame);
    if (message?.kind !== 'session_init') return;
    const { start, end } = message.layer_range;
    const epoch = message.epoch ?? 0;
    const session = this.sessions.get(message.session_id) ?? { client: frame.from, hops: [] };
    const fresh = !session.hops.some(({ peer }) => peer === frame.to);
    const hop = { peer: frame.to, start, end, epoch };
    session.hops = session.hops.filter(
      (other) => other.peer !== frame.to && (other.end <= start || other.start >= end),
    );
    session.hops.push(hop);
    session.hops.sort((a, b) => a.start - b.start);
    this.sessions.set(message.session_id, session);
    const key = `${message.session_id} ${frame.to}`;
    this.#inEpochs.set(key, Math.max(message.in_epoch ?? 0, this.#inEpochs.get(key) ?? 0));
    for (const run of this.#onInit) run(frame, hop, fresh, message.session_id);
  }

  #abort(frame: FrameEvent): void {
    const message = read(frame);
    if (message?.kind !== 'abort_session') return;
    if (message.code === 'done') this.sessions.delete(message.session_id);
    const session = this.sessions.get(message.session_id);
    // What is opened there after this begins anew.
    if (session && !message.keep) session.hops = session.hops.filter(({ peer }) => peer !== frame.to);
    for (const run of this.#onAbort) run(frame, message.code ?? '');
  }
}

/** The message of a frame; null for what is none. */
export function read(frame: FrameEvent): Message | null {
  try {
    return decodeMessage(frame.bytes.slice(4));
  } catch {
    return null;
  }
}
