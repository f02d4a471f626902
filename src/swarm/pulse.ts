import { PULSE_DEADLINE_MS, PULSE_INTERVAL_MS, STALL_MS, SUSPECT_DEADLINE_MS } from './limits.ts';
import type { Clock } from './types.ts';

/** A message: its kind, then a u32 number that an answer repeats. */
export const PULSE_BYTES = 5;
const ASK = 1;
const ANSWER = 2;
const GOODBYE = 3;

export interface PulseOptions {
  clock: Clock;
  /** Gives one message to the link; it may be lost when there is none. */
  send: (message: Uint8Array) => void;
  /** Told once, with a reason for people. */
  gone: (reason: string) => void;
  /** Milliseconds that bytes sent earlier may still hold up a question on its way. */
  backlogMs: () => number;
}

/**
 * Knows whether a peer lives: asks every two seconds, and takes any byte that comes from it as an answer. It also
 * measures the round trip. A tab that is frozen, or a machine that lost its network, closes nothing; this is what
 * notices, because ICE takes 15 seconds. Not libp2p's connection monitor: that opens a stream for each ping, and takes
 * an own stall for the other's death.
 */
export class Pulse {
  /** Milliseconds there and back, the last one; null before. */
  roundTripMs: number | null = null;
  readonly #options: PulseOptions;
  #heardAt = Number.NEGATIVE_INFINITY;
  #nonce = 0;
  /** The question that is not answered yet. */
  #asked: { nonce: number; at: number } | null = null;
  /** By when something must have come since then. */
  #expected: { since: number; due: number } | null = null;
  #cancelNext = () => {};
  #cancelDeadline = () => {};
  #stopped = false;

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#next();
  }

  /** Any byte came from the peer. */
  heard(): void {
    this.#heardAt = this.#options.clock.now();
  }

  /** @returns false when that is no message of this protocol */
  take(message: Uint8Array): boolean {
    this.heard();
    const nonce = new DataView(message.buffer, message.byteOffset).getUint32(1);
    if (message[0] === ASK) this.#options.send(encode(ANSWER, nonce));
    else if (message[0] === ANSWER) this.#answered(nonce);
    else if (message[0] === GOODBYE) this.#gone('it said goodbye');
    else return false;
    return true;
  }

  goodbye(): void {
    this.#options.send(encode(GOODBYE, 0));
    this.stop();
  }

  /** Asks now, for the first round trip. */
  begin(): void {
    this.#ask(PULSE_DEADLINE_MS);
  }

  /** Something hints that the peer is gone: asks now, with a short deadline. */
  suspect(): void {
    this.#ask(SUSPECT_DEADLINE_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelNext();
    this.#cancelDeadline();
  }

  #next(): void {
    this.#cancelNext = this.#options.clock.after(PULSE_INTERVAL_MS, () => {
      this.#ask(PULSE_DEADLINE_MS);
      if (!this.#stopped) this.#next();
    });
  }

  #ask(deadlineMs: number): void {
    if (this.#stopped) return;
    const at = this.#options.clock.now();
    this.#nonce = (this.#nonce + 1) >>> 0;
    this.#asked = { nonce: this.#nonce, at };
    this.#options.send(encode(ASK, this.#nonce));
    // What an earlier question waits for is not put off by a later one; only a suspicion makes it shorter.
    const open = this.#expected && this.#heardAt < this.#expected.since ? this.#expected : null;
    if (!open || (deadlineMs === SUSPECT_DEADLINE_MS && at + deadlineMs < open.due))
      this.#expect(at, deadlineMs);
  }

  /** @param granted milliseconds of the deadline that are owed to bytes sent earlier */
  #expect(since: number, deadlineMs: number, granted = 0): void {
    const { clock } = this.#options;
    const due = clock.now() + deadlineMs;
    this.#expected = { since, due };
    this.#cancelDeadline();
    this.#cancelDeadline = clock.after(deadlineMs, () => {
      this.#expected = null;
      if (this.#stopped || this.#heardAt >= since) return;
      // This tab stood still itself: what came in the meantime is only being delivered.
      const backlog = this.#options.backlogMs();
      if (clock.now() - due > STALL_MS) this.#expect(since, deadlineMs, granted);
      else if (backlog > granted) this.#expect(since, backlog - granted, backlog);
      else this.#gone('it does not answer any more');
    });
  }

  #answered(nonce: number): void {
    if (this.#asked?.nonce !== nonce) return;
    this.roundTripMs = this.#options.clock.now() - this.#asked.at;
    this.#asked = null;
  }

  #gone(reason: string): void {
    if (this.#stopped) return;
    this.stop();
    this.#options.gone(reason);
  }
}

function encode(kind: number, nonce: number): Uint8Array {
  const message = new Uint8Array(PULSE_BYTES);
  message[0] = kind;
  new DataView(message.buffer).setUint32(1, nonce);
  return message;
}
