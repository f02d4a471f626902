import { describe, expect, it } from 'vitest';
import { SimClock } from './clock.ts';
import { Actor, Scheduler } from './scheduler.ts';

describe('the simulated time', () => {
  it('lets every promise go on before the next event', async () => {
    const scheduler = new Scheduler(1);
    const actor = new Actor('a');
    const seen: string[] = [];
    scheduler.at(1, actor, 'first', async () => {
      for (let i = 0; i < 50; i++) await null;
      seen.push('first');
    });
    scheduler.at(1.0001, actor, 'second', () => {
      seen.push('second');
    });
    await scheduler.run(() => false);
    expect(seen).toEqual(['first', 'second']);
  });

  it('runs equal seeds in equal order, and what is due at one instant in an order of the seed', async () => {
    const order = async (seed: number) => {
      const scheduler = new Scheduler(seed);
      const seen: string[] = [];
      for (const name of 'abcdefgh') {
        const actor = new Actor(name);
        for (const n of [1, 2]) scheduler.at(5, actor, name, () => void seen.push(`${name}${n}`));
      }
      await scheduler.run(() => false);
      return { text: seen.join(' '), trace: scheduler.trace };
    };
    const first = await order(1);
    expect(await order(1)).toEqual(first);
    expect((await order(2)).text).not.toBe(first.text);
    for (const name of 'abcdefgh')
      expect(first.text.indexOf(`${name}1`)).toBeLessThan(first.text.indexOf(`${name}2`));
  });

  it('keeps for a frozen peer what would have run, and never runs a dead one', async () => {
    const scheduler = new Scheduler(1);
    const [world, frozen, dead] = [new Actor('world'), new Actor('frozen'), new Actor('dead')];
    const seen: string[] = [];
    scheduler.freeze(frozen);
    dead.state = 'dead';
    scheduler.at(1, frozen, 'x', () => void seen.push(`frozen at ${scheduler.now}`));
    scheduler.at(1, dead, 'x', () => void seen.push('dead'));
    scheduler.at(9, world, 'thaw', () => scheduler.thaw(frozen));
    await scheduler.run(() => false);
    expect(seen).toEqual(['frozen at 9']);
  });

  it('stands still while real work is done elsewhere', async () => {
    const scheduler = new Scheduler(1);
    const actor = new Actor('a');
    const seen: string[] = [];
    scheduler.at(1, actor, 'work', () => {
      const work = new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
      void scheduler.outside(work).then(() => seen.push('worked'));
    });
    scheduler.at(2, actor, 'next', () => void seen.push('next'));
    await scheduler.run(() => false);
    expect(seen).toEqual(['worked', 'next']);
  });

  it('fires at once what a jump of the clock has made due, in order', async () => {
    const scheduler = new Scheduler(1);
    const actor = new Actor('a');
    const clock = new SimClock(scheduler, actor);
    const seen: string[] = [];
    clock.after(2000, () => seen.push(`b ${scheduler.now} ${clock.now()}`));
    clock.after(1000, () => seen.push(`a ${scheduler.now} ${clock.now()}`));
    const cancel = clock.after(500, () => seen.push('cancelled'));
    clock.after(9000, () => seen.push(`c ${scheduler.now}`));
    cancel();
    scheduler.at(10, actor, 'jump', () => clock.jump(5000));
    await scheduler.run(() => false);
    expect(seen).toEqual(['a 10 5010', 'b 10 5010', 'c 4000']);
    expect(clock.pending).toBe(0);
  });
});
