import { mix } from './random.ts';

/** Something that runs code: a tab, the relay, or the world itself. */
export class Actor {
  state: 'running' | 'frozen' | 'dead' = 'running';
  /** What would have run while it was frozen, in order. */
  readonly parked: ScheduledEvent[] = [];

  constructor(readonly name: string) {}
}

export interface ScheduledEvent {
  at: number;
  tie: number;
  order: number;
  actor: Actor;
  label: string;
  run: (() => void) | null;
}

/** Events that one seed may take: a world that needs more is in a loop. */
const MAX_EVENTS = 400_000;

/**
 * Runs everything that happens in a world, one event after another, in an order that the seed fixes. Between two
 * events all promises that can go on do so: the code under test is written with promises and never sees that its
 * clock is not the wall's.
 */
export class Scheduler {
  /** Milliseconds of the world. */
  now = 0;
  /** Hash of all events so far: equal for equal runs. */
  trace = 0;
  events = 0;
  onEvent: ((at: number, actor: string, label: string) => void) | null = null;
  readonly #heap: ScheduledEvent[] = [];
  readonly #seed: number;
  #order = 0;
  #outside = 0;
  #resume: (() => void) | null = null;

  constructor(seed: number) {
    this.#seed = mix(seed >>> 0, 0x5eed);
  }

  /** Runs something for an actor at a time, never at once. @returns a function that cancels it */
  at(time: number, actor: Actor, label: string, run: () => void): () => void {
    const at = Math.max(time, this.now);
    // Events of different actors at the same instant come in any order; those of one actor in the order they were made.
    let tie = mix(this.#seed, at * 1024);
    for (let i = 0; i < actor.name.length; i++) tie = mix(tie, actor.name.charCodeAt(i));
    const event: ScheduledEvent = { at, tie, order: this.#order++, actor, label, run };
    this.#push(event);
    return () => {
      event.run = null;
    };
  }

  /** The same, `ms` from now. */
  after(ms: number, actor: Actor, label: string, run: () => void): () => void {
    return this.at(this.now + ms, actor, label, run);
  }

  /** Lets the world stand still until real work (an engine on another thread) is done. */
  outside<T>(work: Promise<T>): Promise<T> {
    this.#outside++;
    const done = () => {
      this.#outside--;
      if (this.#outside === 0) this.#resume?.();
    };
    work.then(done, done);
    return work;
  }

  /** Runs events until `until` holds, nothing is left, or the world's time reaches `limit`. */
  run(until: () => boolean, limit = Number.POSITIVE_INFINITY): Promise<'done' | 'idle' | 'limit'> {
    return new Promise((resolve, reject) => {
      const turn = () => {
        try {
          if (this.#outside > 0) {
            this.#resume = () => {
              this.#resume = null;
              setImmediate(turn);
            };
            return;
          }
          if (until()) return resolve('done');
          const next = this.#peek();
          if (!next) {
            if (Number.isFinite(limit)) this.now = Math.max(this.now, limit);
            return resolve('idle');
          }
          if (next.at > limit) {
            this.now = limit;
            return resolve('limit');
          }
          this.#step();
          // Node empties the queue of promises before the next immediate.
          setImmediate(turn);
        } catch (error) {
          reject(error);
        }
      };
      setImmediate(turn);
    });
  }

  freeze(actor: Actor): void {
    if (actor.state === 'running') actor.state = 'frozen';
  }

  thaw(actor: Actor): void {
    if (actor.state !== 'frozen') return;
    actor.state = 'running';
    for (const event of actor.parked.splice(0)) {
      event.at = this.now;
      event.tie = 0;
      this.#push(event);
    }
  }

  #step(): void {
    const event = this.#pop();
    const { actor, run } = event;
    if (actor.state === 'frozen') {
      actor.parked.push(event);
      return;
    }
    if (!run || actor.state === 'dead') return;
    this.now = event.at;
    if (++this.events > MAX_EVENTS)
      throw new Error(`more than ${MAX_EVENTS} events: something runs in a loop`);
    let hash = mix(this.trace, Math.round(event.at * 1000));
    for (let i = 0; i < event.label.length; i++)
      hash = (Math.imul(hash, 31) + event.label.charCodeAt(i)) >>> 0;
    this.trace = hash;
    this.onEvent?.(event.at, actor.name, event.label);
    run();
  }

  /** The next event that still matters. */
  #peek(): ScheduledEvent | undefined {
    for (;;) {
      const event = this.#heap[0];
      if (!event || (event.run && event.actor.state !== 'dead')) return event;
      this.#pop();
    }
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): ScheduledEvent {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function before(a: ScheduledEvent, b: ScheduledEvent): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.tie !== b.tie) return a.tie < b.tie;
  return a.order < b.order;
}
