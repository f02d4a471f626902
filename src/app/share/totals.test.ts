import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Sharing } from '../../sdk/early.ts';
import { memoryKeep, TestBrowser, type TestDevice } from './testing/device.ts';
import { dayOf, Totals } from './totals.ts';

/** Counters of a host, of which only the tokens and the time lent matter here. */
function counted(tokensServed: number, lentMs = 0): Pick<Sharing, 'counters'> {
  const counters = { tokensServed, positionsServed: 0, sessionsServed: 0, peersHelped: 0, servedMs: 0 };
  const rest = { servedBytesIn: 0, servedBytesOut: 0, lentMs };
  return { counters: { ...counters, ...rest } as Sharing['counters'] };
}

function open(browser: TestBrowser, device: TestDevice = browser.tab()) {
  const totals = new Totals(browser.keep, device.date, device.claim);
  return { device, totals };
}
const claimed = () => new Promise<void>((resolve) => setTimeout(resolve));

test('counters become totals of today and of all time, over reloads', async () => {
  const browser = new TestBrowser();
  const first = open(browser);
  await claimed();
  first.totals.count(counted(5));
  first.totals.count(counted(12));
  expect(first.totals.state.get()).toMatchObject({ today: { tokens: 12 }, all: { tokens: 12 } });
  first.totals.flush();
  first.device.leave();
  const second = open(browser);
  await claimed();
  expect(second.totals.state.get().all.tokens).toBe(12);
  // This page's own host counts from nothing.
  second.totals.count(counted(3));
  expect(second.totals.state.get()).toMatchObject({ today: { tokens: 15 }, all: { tokens: 15 } });
  expect(second.totals.state.get().since).toBe(first.totals.state.get().since);
});

test('a share that begins anew on the same page counts nothing twice', async () => {
  const { totals } = open(new TestBrowser());
  await claimed();
  totals.count(counted(10));
  // It is shown with nothing, and then with what the host did before it.
  totals.count(counted(0));
  totals.count(counted(11));
  expect(totals.state.get().all.tokens).toBe(11);
});

test('midnight ends today, a clock that jumps takes nothing away, a device that slept lent nothing', async () => {
  const browser = new TestBrowser();
  const { device, totals } = open(browser);
  await claimed();
  totals.count(counted(10));
  totals.flush();
  device.now = new Date(2026, 5, 16, 0, 0, 1);
  totals.show();
  expect(totals.state.get()).toMatchObject({ today: { tokens: 0 }, all: { tokens: 10 } });
  totals.count(counted(14));
  totals.flush();
  expect(totals.state.get()).toMatchObject({ today: { tokens: 4 }, all: { tokens: 14 } });
  device.now = new Date(1999, 0, 1);
  totals.count(counted(15));
  totals.flush();
  expect(totals.state.get()).toMatchObject({ today: { tokens: 1 }, all: { tokens: 15 } });
  totals.count(counted(15, 8 * 3_600_000));
  expect(totals.state.get().all.lentMs).toBe(120_000);
});

test('full storage keeps the count on the page, and it is written when there is room', async () => {
  const browser = new TestBrowser();
  const { totals } = open(browser);
  await claimed();
  browser.keep.full = true;
  totals.count(counted(4));
  totals.flush();
  expect(totals.state.get().all.tokens).toBe(4);
  browser.keep.full = false;
  totals.flush();
  expect(open(browser).totals.state.get().all.tokens).toBe(4);
});

test('whatever lies in storage is no reason to fail', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.json()), { maxLength: 8 }), (texts) => {
      const values = new Map(texts.map((text, place) => [`shoal.helped.${place}`, text]));
      const totals = new Totals(
        memoryKeep(values),
        () => new Date(2026, 5, 15),
        async () => true,
      );
      for (const value of Object.values(totals.state.get().all)) expect(value).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(totals.state.get().since)).toBe(true);
    }),
  );
});

test('tabs that come, count and go in any order lose nothing and count nothing twice', async () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant('open' as const) }),
    fc.record({ what: fc.constant('count' as const), tab: fc.nat(20), more: fc.nat(50) }),
    fc.record({ what: fc.constant('flush' as const), tab: fc.nat(20) }),
    fc.record({ what: fc.constant('leave' as const), tab: fc.nat(20) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const browser = new TestBrowser();
      const tabs: { totals: Totals; device: TestDevice; sum: number }[] = [];
      let sum = 0;
      for (const one of steps) {
        if (one.what === 'open') {
          if (tabs.length < 6) tabs.push({ ...open(browser), sum: 0 });
          await claimed();
          continue;
        }
        const tab = tabs[one.tab % Math.max(1, tabs.length)];
        if (!tab) continue;
        if (one.what === 'count') {
          tab.sum += one.more;
          sum += one.more;
          tab.totals.count(counted(tab.sum));
        } else tab.totals.flush();
        if (one.what === 'leave') {
          tab.device.leave();
          tabs.splice(tabs.indexOf(tab), 1);
        }
      }
      for (const { totals } of tabs) totals.flush();
      expect(open(browser).totals.state.get().all.tokens).toBe(sum);
    }),
    { numRuns: 60 },
  );
});

test('a day is the device’s own', () => {
  expect(dayOf(new Date(2026, 0, 9, 23, 59))).toBe('2026-01-09');
});
