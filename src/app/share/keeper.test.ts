import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Sharing, Shoal } from '../../sdk/early.ts';
import { type Tab, Tabs } from '../../sdk/testing/tabs.ts';
import { tinyModel } from '../../sdk/testing/tiny-model.ts';
import { SettingsStore } from '../settings/settings.ts';
import { Keeper } from './keeper.ts';
import { TestBrowser, type TestDevice } from './testing/device.ts';
import type { ShareState } from './types.ts';

const LAYERS = 8;
let gguf: Uint8Array;
let tabs: Tabs;

beforeAll(() => {
  gguf = tinyModel(LAYERS, 1.5);
});
beforeEach(async () => {
  tabs = await Tabs.around(gguf);
});
afterEach(() => tabs.close());

interface Page {
  keeper: Keeper;
  settings: SettingsStore;
  device: TestDevice;
  shoal: Shoal;
  tab: Tab;
}

/** A page of a browser over a real Shoal. @param before whose session storage it has, as after a reload */
function page(browser = new TestBrowser(), before?: Page): Page {
  const tab = tabs.open();
  const device = browser.tab(before?.device.tab);
  const settings = new SettingsStore(browser.keep);
  const keeper = new Keeper({ shoal: tab.shoal, settings, keep: browser.keep, device });
  return { keeper, settings, device, shoal: tab.shoal, tab };
}

/** As a reload begins: the page goes, and its Shoal with it. */
async function leave({ device, shoal }: Page): Promise<void> {
  device.leave();
  await shoal.dispose();
}

const lent = ({ shoal }: Page): Sharing | null => shoal.membership.get().sharing;

/** Resolves as soon as the slice is in that state; null for none. */
function until({ shoal }: Page, state: Sharing['state'] | null): Promise<void> {
  return new Promise((resolve) => {
    const is = () => (shoal.membership.get().sharing?.state ?? null) === state;
    if (is()) return resolve();
    const off = shoal.membership.subscribe(() => {
      if (!is()) return;
      queueMicrotask(() => off());
      resolve();
    });
  });
}

describe('the switch', () => {
  test('lends with the limits of the settings, and survives a reload with the same layers', async () => {
    const browser = new TestBrowser();
    const first = page(browser);
    first.settings.changeShare({ power: 'light', memoryMb: 128 });
    await first.keeper.on({ layers: [2, 6] });
    expect(lent(first)).toMatchObject({ state: 'sharing', start: 2, end: 6, power: 'light' });
    await leave(first);
    const second = page(browser, first);
    await second.keeper.resumeAfterReload();
    expect(lent(second)).toMatchObject({ state: 'sharing', start: 2, end: 6, power: 'light' });
    second.settings.changeShare({ power: 'full' });
    expect(lent(second)!.power).toBe('full');
    await second.keeper.off();
    expect(lent(second)).toBe(null);
    expect(second.keeper.state.get()).toMatchObject({ wanted: false, hold: null, error: null });
    await leave(second);
    const third = page(browser, second);
    await third.keeper.resumeAfterReload();
    expect(third.keeper.state.get().wanted).toBe(false);
  });

  test('a tab that is opened anew goes on where the last one ended, but not beside one that shares', async () => {
    const browser = new TestBrowser();
    const first = page(browser);
    await first.keeper.on({ layers: [0, 8] });
    const beside = page(browser);
    await beside.keeper.resumeAfterReload();
    expect(beside.keeper.state.get().wanted).toBe(false);
    await leave(first);
    const after = page(browser);
    await after.keeper.resumeAfterReload();
    expect(lent(after)!.state).toBe('sharing');
  });

  test('turned off while it prepares, it is off; turned on again at once, it is on', async () => {
    const one = page();
    const begun = one.keeper.on();
    await one.keeper.off();
    await begun;
    expect(lent(one)).toBe(null);
    void one.keeper.on();
    const off = one.keeper.off();
    await one.keeper.on();
    await off;
    expect(lent(one)!.state).toBe('sharing');
    expect(one.keeper.state.get().wanted).toBe(true);
  });

  test('other layers replace those that are lent, and the same ones stay', async () => {
    const one = page();
    await one.keeper.on({ layers: [0, 4] });
    await one.keeper.on();
    expect(lent(one)).toMatchObject({ state: 'sharing', start: 0, end: 4 });
    await one.keeper.on({ layers: [4, 8] });
    expect(lent(one)).toMatchObject({ state: 'sharing', start: 4, end: 8 });
  });

  test('layers that the relay no longer has are chosen anew after a reload', async () => {
    const browser = new TestBrowser();
    browser.keep.setItem('shoal.sharing', JSON.stringify({ model: 'an old model', layers: [0, 99] }));
    const one = page(browser);
    await one.keeper.resumeAfterReload();
    expect(lent(one)).toMatchObject({ state: 'sharing', start: 0, end: 8 });
    expect(one.keeper.state.get().error).toBe(null);
  });

  test('what lies in storage and is no switch is off', async () => {
    for (const odd of ['{', 'null', '7', '"on"']) {
      const browser = new TestBrowser();
      browser.keep.setItem('shoal.sharing', odd);
      const one = page(browser);
      await one.keeper.resumeAfterReload();
      expect(one.keeper.state.get().wanted).toBe(false);
    }
  });

  test('ended by the programmable door while it prepares, it is off', async () => {
    const one = page();
    const begun = one.keeper.on();
    await until(one, 'preparing');
    await one.shoal.unshare();
    await begun;
    await until(one, null);
    expect(one.keeper.state.get().wanted).toBe(false);
  });

  test('a failure is told, and one of the network is tried again later', async () => {
    const browser = new TestBrowser();
    const device = browser.tab();
    let broken = true;
    const tab = tabs.open(
      {},
      {
        openUrl: async (url) => {
          if (broken) throw Object.assign(new Error('The relay is gone.'), { code: 'unreachable' });
          throw new Error(`${url}`);
        },
      },
    );
    const settings = new SettingsStore(browser.keep);
    const keeper = new Keeper({ shoal: tab.shoal, settings, keep: browser.keep, device });
    await keeper.on();
    expect(keeper.state.get()).toMatchObject({ wanted: true, error: { code: 'unreachable' } });
    expect(tab.shoal.membership.get().sharing!.state).toBe('failed');
    device.tick();
    expect(tab.shoal.membership.get().sharing!.state).toBe('failed');
    broken = false;
    device.now = new Date(device.now.getTime() + 16_000);
    device.tick();
    const error = await new Promise<ShareState['error']>((resolve) => {
      keeper.state.subscribe((state) => state.error?.code === 'failed' && resolve(state.error));
    });
    // Another failure now, which no waiting mends.
    expect(error!.message).toContain('http');
  });
});

describe('limits', () => {
  test('hours: nothing is loaded outside of them, and lent slices pause and go on with the clock', async () => {
    const one = page();
    one.settings.changeShare({ hours: [22, 6] });
    await one.keeper.on();
    expect(one.keeper.state.get()).toMatchObject({ wanted: true, hold: 'hours' });
    expect(lent(one)).toBe(null);
    expect(one.tab.fetched.bytes).toBe(0);
    one.device.now = new Date(2026, 5, 15, 22);
    one.device.tick();
    await until(one, 'sharing');
    expect(one.keeper.state.get().hold).toBe(null);
    one.device.now = new Date(2026, 5, 16, 6);
    one.device.tick();
    await until(one, 'paused');
    expect(one.keeper.state.get().hold).toBe('hours');
    one.settings.changeShare({ hours: [0, 24] });
    await until(one, 'sharing');
  });

  test('power and use: pauses when a cable is pulled or somebody comes, and says which', async () => {
    const one = page();
    one.settings.changeShare({ onlyOnPower: true, onlyWhenIdle: true, wakeLock: true });
    one.device.state.update({ idle: true });
    await one.keeper.on();
    // This browser does not tell about power.
    expect(lent(one)!.state).toBe('sharing');
    expect(one.device.screen).toBe(true);
    one.device.state.update({ charging: false });
    await until(one, 'paused');
    expect(one.keeper.state.get().hold).toBe('battery');
    one.device.tick();
    expect(one.device.screen).toBe(false);
    one.device.state.update({ charging: true, idle: false });
    expect(one.keeper.state.get().hold).toBe('in-use');
    one.device.state.update({ idle: true });
    await until(one, 'sharing');
  });

  test('a pause by hand survives a reload and is ended by hand', async () => {
    const browser = new TestBrowser();
    const first = page(browser);
    await first.keeper.on({ layers: [0, 8] });
    await first.keeper.pause();
    expect(lent(first)!.state).toBe('paused');
    await leave(first);
    const second = page(browser, first);
    await second.keeper.resumeAfterReload();
    expect(second.keeper.state.get()).toMatchObject({ wanted: true, hold: 'paused' });
    expect(lent(second)).toBe(null);
    await second.keeper.resume();
    await until(second, 'sharing');
    expect(lent(second)).toMatchObject({ start: 0, end: 8 });
  });
});

test('what is done for others is counted, and kept when the page goes', async () => {
  const browser = new TestBrowser();
  const one = page(browser);
  await one.keeper.on({ layers: [0, 8] });
  const client = tabs.open();
  await client.shoal.chat.completions.create({
    messages: [{ role: 'user', content: 'Hello' }],
    temperature: 0,
    max_tokens: 8,
    route: 'network',
    stream: false,
  });
  await one.keeper.off();
  const { today } = one.keeper.state.get();
  expect(today).toMatchObject({ tokens: 7, conversations: 1, peers: 1 });
  expect(today.positions).toBeGreaterThan(8);
  expect(today.computeMs).toBeGreaterThan(0);
  expect(today.bytesIn).toBeGreaterThan(0);
  expect(today.bytesOut).toBeGreaterThan(0);
  await leave(one);
  const { all } = page(browser).keeper.state.get();
  expect(all).toMatchObject({ tokens: 7, conversations: 1, peers: 1 });
});
