import { setMaxListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from './errors.ts';
import { FairQueue, type Ticket } from './fair-queue.ts';

const LIMITS = { answers: 1, answersPerClient: 1, waiting: 2_000, waitingPerClient: 1_000 };
const never = new AbortController().signal;
// One for all here; each request has its own.
setMaxListeners(0, never);

/** Which tickets have had their turn, in order. */
function watch(queue: FairQueue) {
  const served: string[] = [];
  const tickets = new Map<string, Ticket>();
  return {
    served,
    enter(client: string, name: string, signal = never) {
      const ticket = queue.enter(client, signal);
      tickets.set(name, ticket);
      ticket.turn.then(
        () => served.push(name),
        () => served.push(`${name} refused`),
      );
      return ticket;
    },
    leave: (name: string) => tickets.get(name)!.leave(),
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('FairQueue', () => {
  it('lets a client with a thousand waiting delay another by one turn', async () => {
    const queue = new FairQueue({ ...LIMITS, waitingPerClient: 1_000 });
    const world = watch(queue);
    for (let i = 0; i <= 1_000; i++) world.enter('greedy', `g${i}`);
    expect(queue.status()).toEqual({ running: 1, waiting: 1_000, clients: 1 });
    const ticket = world.enter('other', 'o');
    expect(ticket.arrival).toBe(2);
    world.leave('g0');
    world.leave('g1');
    await settled();
    expect(world.served).toEqual(['g0', 'g1', 'o']);
  });

  it('takes turns between clients, each in its own order', async () => {
    const queue = new FairQueue(LIMITS);
    const world = watch(queue);
    for (const name of ['a0', 'a1', 'a2', 'b0', 'b1', 'c0']) world.enter(name[0]!, name);
    for (const name of ['a0', 'a1', 'b0', 'c0', 'a2']) {
      await settled();
      world.leave(name);
    }
    await settled();
    expect(world.served).toEqual(['a0', 'a1', 'b0', 'c0', 'a2', 'b1']);
  });

  it('runs no more of one client than it may, and gives the place to another', async () => {
    const queue = new FairQueue({ ...LIMITS, answers: 3, answersPerClient: 2 });
    const world = watch(queue);
    for (const name of ['a0', 'a1', 'a2', 'b0']) world.enter(name[0]!, name);
    await settled();
    expect(world.served).toEqual(['a0', 'a1', 'b0']);
    world.leave('b0');
    await settled();
    expect(world.served).toHaveLength(3);
    world.leave('a0');
    await settled();
    expect(world.served.at(-1)).toBe('a2');
  });

  it('tells the place, which gets nearer as others are served or leave', async () => {
    const queue = new FairQueue(LIMITS);
    const world = watch(queue);
    world.enter('a', 'a0');
    world.enter('a', 'a1');
    world.enter('b', 'b0');
    const last = world.enter('a', 'a2');
    expect(last.place()).toEqual({ place: 3, of: 3 });
    world.leave('b0');
    expect(last.place()).toEqual({ place: 2, of: 2 });
    world.leave('a0');
    expect(last.place()).toEqual({ place: 1, of: 1 });
    world.leave('a1');
    expect(last.place()).toEqual({ place: 0, of: 0 });
  });

  it('forgets who hangs up at once, wherever in the line', async () => {
    const queue = new FairQueue(LIMITS);
    const world = watch(queue);
    const gone = new AbortController();
    world.enter('a', 'a0');
    const waiting = world.enter('a', 'a1', gone.signal);
    world.enter('a', 'a2');
    gone.abort(new Error('hung up'));
    expect(queue.status().waiting).toBe(1);
    await expect(waiting.turn).rejects.toThrow('hung up');
    waiting.leave();
    world.leave('a0');
    await settled();
    expect(world.served).toEqual(['a0', 'a1 refused', 'a2']);
    world.leave('a2');
    expect(queue.status()).toEqual({ running: 0, waiting: 0, clients: 0 });
  });

  it('refuses a client with too many waiting as 429, and everybody when all are too many as 503', () => {
    const queue = new FairQueue({ ...LIMITS, waiting: 3, waitingPerClient: 2 });
    const world = watch(queue);
    for (const name of ['a0', 'a1', 'a2']) world.enter('a', name);
    const refusal = (client: string) => {
      try {
        queue.enter(client, never);
      } catch (error) {
        return (error as ApiError).status;
      }
      return null;
    };
    expect(refusal('a')).toBe(429);
    world.enter('b', 'b0');
    expect(refusal('c')).toBe(503);
    world.leave('b0');
    expect(refusal('c')).toBe(null);
  });

  it('closes for those who wait and those who come; what runs may end', async () => {
    const queue = new FairQueue(LIMITS);
    const running = queue.enter('a', never);
    const waiting = queue.enter('b', never);
    queue.close();
    await running.turn;
    await expect(waiting.turn).rejects.toMatchObject({ status: 503, code: 'stopping' });
    expect(() => queue.enter('c', never)).toThrow(ApiError);
    running.leave();
    running.leave();
    expect(queue.status()).toEqual({ running: 0, waiting: 0, clients: 0 });
  });

  it('keeps every place and every promise, whatever order things come in', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('enter' as const), client: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ do: fc.constant('leave' as const), which: fc.nat() }),
      fc.record({ do: fc.constant('abort' as const), which: fc.nat() }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const limits = { answers: 3, answersPerClient: 2, waiting: 8, waitingPerClient: 4 };
        const queue = new FairQueue(limits);
        type Entry = {
          client: string;
          ticket: Ticket;
          abort: AbortController;
          state: 'waits' | 'runs' | 'gone';
        };
        const entries: Entry[] = [];
        for (const one of steps) {
          if (one.do === 'enter') {
            const abort = new AbortController();
            const client = String(one.client);
            try {
              const ticket = queue.enter(client, abort.signal);
              const entry: Entry = { client, ticket, abort, state: 'waits' };
              ticket.turn.then(
                () => {
                  if (entry.state === 'waits') entry.state = 'runs';
                },
                () => {
                  entry.state = 'gone';
                },
              );
              entries.push(entry);
            } catch (error) {
              expect(error).toBeInstanceOf(ApiError);
            }
          } else {
            const entry = entries[one.which % Math.max(1, entries.length)];
            if (!entry || entry.state === 'gone') continue;
            // An answer that runs hears the signal itself, and then leaves.
            if (one.do === 'abort') entry.abort.abort();
            if (one.do === 'leave' || entry.state === 'runs') entry.ticket.leave();
            entry.state = 'gone';
          }
          await settled();
          const running = entries.filter(({ state }) => state === 'runs');
          const waiting = entries.filter(({ state }) => state === 'waits');
          expect(queue.status()).toMatchObject({ running: running.length, waiting: waiting.length });
          const own = (client: string) => running.filter((entry) => entry.client === client).length;
          for (const { client } of running) expect(own(client)).toBeLessThanOrEqual(limits.answersPerClient);
          // Nobody waits who could run.
          for (const { client } of waiting) {
            expect(running.length === limits.answers || own(client) === limits.answersPerClient).toBe(true);
          }
        }
      }),
      { seed: 7, numRuns: 150 },
    );
  });
});
