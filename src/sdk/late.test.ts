import { describe, expect, it } from 'vitest';
import { ShoalError } from './errors.ts';
import { IDLE_STATUS, NO_MEMBERSHIP } from './idle-state.ts';
import { lateShoal } from './late.ts';
import { Tabs } from './testing/tabs.ts';
import { tinyModel } from './testing/tiny-model.ts';
import type { Shoal } from './types.ts';

const HELLO = { messages: [{ role: 'user' as const, content: 'Hello' }], temperature: 0, max_tokens: 3 };

/** A Shoal whose code comes when the test says so. */
async function late() {
  const tabs = await Tabs.around(tinyModel());
  let arrive = (_shoal: Shoal) => {};
  let fail = (_error: unknown) => {};
  const code = new Promise<Shoal>((resolve, reject) => {
    arrive = resolve;
    fail = reject;
  });
  const tab = tabs.open();
  return { shoal: lateShoal(() => code), arrive: () => arrive(tab.shoal), fail, real: tab.shoal, tabs };
}

describe('before the code is there', () => {
  it('a question waits for it, and is answered', async () => {
    const { shoal, arrive, real, tabs } = await late();
    const asked = shoal.chat.completions.create(HELLO);
    const listed = shoal.models();
    arrive();
    expect((await asked).usage.completion_tokens).toBe(3);
    expect((await listed)[0]!.name).toBe('Tiny shoal');
    expect(shoal.status.get()).toBe(real.status.get());
    await expect(shoal.ready).resolves.toBeUndefined();
    await tabs.close();
  });

  it('a call that is stopped ends at once, and is not made later', async () => {
    const { shoal, arrive, tabs } = await late();
    const control = new AbortController();
    const asked = shoal.chat.completions.create({ ...HELLO, signal: control.signal });
    control.abort();
    await expect(asked).rejects.toMatchObject({ code: 'aborted' });
    arrive();
    await shoal.models();
    expect(shoal.status.get().phase).toBe('idle');
    await tabs.close();
  });

  it('a load and its cancel keep their order', async () => {
    const { shoal, arrive, tabs } = await late();
    const loaded = shoal.load(undefined, { signal: new AbortController().signal });
    shoal.cancel();
    arrive();
    await expect(loaded).rejects.toMatchObject({ code: 'aborted' });
    await tabs.close();
  });

  it('what is absurd is refused when the code is there to say so', async () => {
    const { shoal, arrive, tabs } = await late();
    const asked = shoal.chat.completions.create({ ...HELLO, signal: 5 as never });
    arrive();
    await expect(asked).rejects.toMatchObject({ code: 'bad-request', param: 'signal' });
    await tabs.close();
  });

  it('who watches sees the idle state, then the real one, and hears nothing after leaving', async () => {
    const { shoal, arrive, real, tabs } = await late();
    expect(shoal.status.get()).toBe(IDLE_STATUS);
    expect(shoal.membership.get()).toBe(NO_MEMBERSHIP);
    const seen: string[] = [];
    const left: string[] = [];
    shoal.status.subscribe(({ phase }) => seen.push(phase));
    shoal.status.subscribe(({ phase }) => left.push(phase))();
    const stays = shoal.status.subscribe(({ phase }) => left.push(phase));
    arrive();
    await shoal.models();
    stays();
    left.length = 0;
    expect(seen).toEqual(['idle']);
    await real.load();
    expect(seen.at(-1)).toBe('ready');
    expect(left).toEqual([]);
    await tabs.close();
  });
});

describe('code that cannot be fetched', () => {
  it('is told by every call and by the status, with a next step', async () => {
    const { shoal, fail, tabs } = await late();
    const phases: string[] = [];
    shoal.status.subscribe(({ phase }) => phases.push(phase));
    const before = shoal.models();
    fail(new TypeError('Failed to fetch dynamically imported module'));
    const error = await before.catch((told: unknown) => told);
    expect(error).toBeInstanceOf(ShoalError);
    expect(error).toMatchObject({ code: 'unreachable', next: 'reload' });
    await expect(shoal.load()).rejects.toBe(error);
    await expect(shoal.ready).rejects.toBe(error);
    expect(shoal.status.get()).toMatchObject({ phase: 'failed', error });
    expect(phases).toEqual(['failed']);
    shoal.cancel();
    shoal.limitSharing({ power: 'light' });
    await shoal.dispose();
    await tabs.close();
  });
});
