import { describe, expect, it } from 'vitest';
import { Pulse } from './pulse.ts';
import type { Clock } from './types.ts';

/** A clock that is moved by hand; `stall` makes timers fire late, as a busy tab's do. */
class HandClock implements Clock {
  #now = 0;
  #timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#now = Math.max(this.#now, next.at);
      this.#timers.delete(next);
      next.run();
    }
    this.#now = end;
  }

  /** Time goes by, and no timer fires until it is over. */
  stall(ms: number): void {
    this.#now += ms;
    this.pass(0);
  }
}

function pulse(backlogMs = () => 0) {
  const clock = new HandClock();
  const sent: Uint8Array[] = [];
  const gone: string[] = [];
  const it = new Pulse({
    clock,
    send: (message) => sent.push(message),
    gone: (reason) => gone.push(reason),
    backlogMs,
  });
  return { clock, sent, gone, pulse: it };
}

/** Two that hear each other after `delay`. */
function pair(delay: number) {
  const a = pulse();
  const reply = (question: Uint8Array) => {
    const answer = question.slice();
    answer[0] = 2;
    a.clock.after(delay, () => a.pulse.take(answer));
  };
  return { ...a, reply };
}

describe('a pulse', () => {
  it('measures the round trip', () => {
    const { clock, sent, pulse: a, reply } = pair(42);
    a.begin();
    reply(sent[0]!);
    expect(a.roundTripMs).toBeNull();
    clock.pass(50);
    expect(a.roundTripMs).toBe(42);
  });

  it('notices a frozen peer within 3.5 s, and tells it once', () => {
    const { clock, sent, gone, pulse: a, reply } = pair(5);
    a.begin();
    reply(sent[0]!);
    clock.pass(100);
    clock.pass(3399);
    expect(gone).toEqual([]);
    clock.pass(2);
    expect(gone).toHaveLength(1);
    clock.pass(60_000);
    expect(gone).toHaveLength(1);
  });

  it('takes any byte from the peer as a sign of life', () => {
    const { clock, gone, pulse: a } = pulse();
    for (let i = 0; i < 100; i++) {
      clock.pass(1000);
      a.heard();
    }
    expect(gone).toEqual([]);
  });

  it('does not take an own stall for the other’s death', () => {
    const { clock, gone, pulse: a } = pulse();
    a.begin();
    clock.stall(10_000);
    expect(gone).toEqual([]);
    // What had come meanwhile is delivered now.
    a.heard();
    clock.pass(1900);
    expect(gone).toEqual([]);
    clock.pass(5000);
    expect(gone).toHaveLength(1);
  });

  it('waits for a peer that data on the same wire keeps from answering, and no longer', () => {
    const { clock, gone, pulse: a } = pulse(() => 4000);
    a.begin();
    clock.pass(5400);
    expect(gone).toEqual([]);
    clock.pass(200);
    expect(gone).toHaveLength(1);
  });

  it('is sure of a suspected peer’s death within a second, and spares one that answers', () => {
    const dead = pulse();
    dead.clock.pass(500);
    dead.pulse.suspect();
    dead.clock.pass(701);
    expect(dead.gone).toHaveLength(1);
    const alive = pair(100);
    alive.clock.pass(500);
    alive.pulse.suspect();
    alive.reply(alive.sent.at(-1)!);
    alive.clock.pass(1000);
    expect(alive.gone).toEqual([]);
  });

  it('ends at a goodbye at once, answers questions, and knows what is no message', () => {
    const { sent, gone, pulse: a } = pulse();
    expect(a.take(Uint8Array.of(1, 0, 0, 0, 9))).toBe(true);
    expect(sent).toEqual([Uint8Array.of(2, 0, 0, 0, 9)]);
    expect(a.take(Uint8Array.of(77, 0, 0, 0, 9))).toBe(false);
    expect(a.take(Uint8Array.of(3, 0, 0, 0, 0))).toBe(true);
    expect(gone).toEqual(['it said goodbye']);
  });
});
