import { describe, expect, it } from 'vitest';
import { abortable, MOST_WAITING, Queue } from './queue.ts';

describe('calls that wait', () => {
  it('run one after the other in the order they came', async () => {
    const queue = new Queue();
    const order: number[] = [];
    let inside = 0;
    await Promise.all(
      [1, 2, 3].map(async (n) => {
        const leave = await queue.enter();
        expect(++inside).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push(n);
        inside--;
        leave();
      }),
    );
    expect(order).toEqual([1, 2, 3]);
  });

  it('one that gives up lets the next wait for the one in front, not for it', async () => {
    const queue = new Queue();
    const leave = await queue.enter();
    const control = new AbortController();
    const gaveUp = queue.enter(control.signal);
    let entered = false;
    const third = queue.enter().then((out) => {
      entered = true;
      return out;
    });
    control.abort();
    await expect(gaveUp).rejects.toMatchObject({ code: 'aborted' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(entered).toBe(false);
    leave();
    (await third)();
    (await queue.enter())();
  });

  it('are refused past a cap', async () => {
    const queue = new Queue();
    await queue.enter();
    for (let i = 0; i < MOST_WAITING; i++) void queue.enter();
    await expect(queue.enter()).rejects.toMatchObject({ code: 'bad-request' });
  });
});

it('work that fails after nobody waits for it any more is no unhandled rejection', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  const failed = Promise.reject(new Error('late'));
  await expect(abortable(failed, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
  // Node tells of them once the microtasks are done.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});
