import { type Browser, expect, type Locator, type Page, test } from '@playwright/test';
import { violations } from './axe.ts';
import { TestRelay } from './network/relay.ts';
import { Tab } from './network/tab.ts';
import { noonZone } from './noon.ts';

const QUESTION = {
  messages: [{ role: 'user' as const, content: 'What is the capital of France?' }],
  max_tokens: 24,
};
/** Long enough that a click comes in the middle of it. */
const STORY = {
  messages: [{ role: 'user' as const, content: 'Tell me a story about a dog.' }],
  max_tokens: 48,
};
/** Megabytes that hold every layer of the default model. */
const WHOLE = 1024;

/** The share view as a person meets it. */
class SharePage {
  private constructor(readonly page: Page) {}

  static async open(browser: Browser, relay: string, share: object): Promise<SharePage> {
    const context = await browser.newContext({
      baseURL: relay,
      viewport: { width: 1100, height: 800 },
      timezoneId: noonZone(),
    });
    const page = await context.newPage();
    // Only where nothing was set: what the page keeps afterwards survives a reload.
    await page.addInitScript(
      ([settings]) => {
        if (!localStorage.getItem('shoal.settings')) localStorage.setItem('shoal.settings', settings!);
      },
      [JSON.stringify({ route: 'network', share })],
    );
    await page.goto('/#/share');
    await expect(page.getByRole('heading', { name: 'Share', level: 1 })).toBeVisible();
    return new SharePage(page);
  }

  get switch(): Locator {
    return this.page.getByRole('switch', { name: 'Share this device' });
  }
  get status(): Locator {
    return this.page.getByRole('status', { name: 'Sharing' });
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** Of the table of what was done for others. @param column 1 today, 2 in all */
  async count(row: string, column: 1 | 2): Promise<number> {
    const cells = this.page.getByRole('row', { name: new RegExp(`^${row}`) }).getByRole('cell');
    return Number((await cells.nth(column - 1).innerText()).replace(/\D/g, ''));
  }

  /** Resolves when this page lends. */
  async shares(): Promise<void> {
    await expect(this.status).toHaveText(/^Sharing\./, { timeout: 120_000 });
  }

  peer(): Promise<string> {
    return this.page.evaluate(() => window.shoal.membership.get().peer!);
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

test('a device is lent, limited, paused, counted and taken back, and every answer is the same', async ({
  browser,
}, info) => {
  test.setTimeout(360_000);
  const relay = await TestRelay.start('none');
  const open: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(one: T): T => {
    open.push(one);
    return one;
  };
  try {
    const lender = keep(await SharePage.open(browser, relay.url, { power: 'full', memoryMb: WHOLE }));
    const { page } = lender;
    await look(page, info.outputPath('off'));

    await test.step('it is switched on with the keyboard alone', async () => {
      await expect(lender.switch).not.toBeChecked();
      await page.keyboard.press('Tab');
      for (
        let i = 0;
        i < 20 && !(await lender.switch.evaluate((one) => one === document.activeElement));
        i++
      ) {
        await page.keyboard.press('Tab');
      }
      await page.keyboard.press('Space');
      await expect(lender.switch).toBeChecked();
      await expect(page.getByRole('progressbar', { name: /^To share/ })).toBeVisible();
      await page.screenshot({ path: info.outputPath('preparing.png') });
      await lender.shares();
      await expect(page.getByRole('img', { name: 'layers 0 to 29 of 30' })).toBeVisible();
      await expect(page.getByText('WASM')).toBeVisible();
    });

    const asker = keep(await Tab.open(browser, relay.url));
    const answer = await asker.ask(QUESTION);
    expect(answer.text).toContain('Paris');
    const story = await asker.ask(STORY);
    expect(story.shoal.hops.map(({ peer }) => peer)).toEqual([await lender.peer()]);

    await test.step('what it did is counted, and survives a reload with the switch', async () => {
      // A look at the network brings the counts up to date.
      await page.evaluate(() => window.shoal.network());
      expect(await lender.count('Tokens of answers', 1)).toBeGreaterThan(40);
      expect(await lender.count('Peers helped', 2)).toBe(1);
      const before = await lender.count('Tokens of answers', 2);
      await page.reload();
      await lender.shares();
      await expect(lender.switch).toBeChecked();
      expect(await lender.count('Tokens of answers', 2)).toBe(before);
      await look(page, info.outputPath('sharing'));
    });

    const others = [
      keep(await SharePage.open(browser, relay.url, {})),
      keep(await SharePage.open(browser, relay.url, {})),
    ];
    await test.step('a pause sends new questions to the two other devices that share', async () => {
      for (const [i, other] of others.entries()) {
        const layers = i === 0 ? ([0, 16] as const) : ([16, 30] as const);
        await other.page.evaluate((range) => window.shoal.share({ layers: range }), layers);
        await other.shares();
        // Lent by the programmable door: the switch says so as well.
        await expect(other.switch).toBeChecked();
      }
      await lender.button('Pause').click();
      await expect(lender.status).toHaveText(/^Paused\. Nobody new is taken/);
      const newcomer = keep(await Tab.open(browser, relay.url));
      const again = await newcomer.ask(QUESTION);
      expect(again.text).toBe(answer.text);
      expect(again.shoal.hops.map(({ peer }) => peer)).toEqual(
        await Promise.all(others.map((other) => other.peer())),
      );
      await lender.button('Resume').click();
      await lender.shares();
    });

    await test.step('outside the hours that are set nobody is taken, and inside they are', async () => {
      const now = await page.evaluate(() => new Date().getHours());
      await page.getByRole('switch', { name: 'Only at certain hours' }).check();
      const choose = (name: string, hour: number) =>
        page.getByRole('combobox', { name, exact: true }).selectOption(String(hour % 24));
      await choose('From', now + 3);
      await choose('To', now + 5);
      await choose('From', now + 4);
      await expect(lender.status).toHaveText(/^Paused\. It is outside the hours/);
      await page.screenshot({ path: info.outputPath('hours.png') });
      await choose('To', now + 2);
      await lender.shares();
      await page.getByRole('switch', { name: 'Only at certain hours' }).uncheck();
      await lender.shares();
    });

    await test.step('at light power, finishing what runs ends no answer', async () => {
      for (const other of others) {
        await other.switch.uncheck();
        await expect(other.status).toHaveText(/^(Stopping|Off)/);
        await other.page.evaluate(() => window.shoal.unshare({ force: true }));
        await expect(other.status).toHaveText(/^Off/);
      }
      await page.getByRole('radio', { name: /^Light/ }).check();
      const last = keep(await Tab.open(browser, relay.url));
      await last.start('story', STORY);
      await last.reached('story', 4);
      await lender.button('Finish what runs, then stop').click();
      await expect(lender.status).toHaveText(/^Stopping\./);
      await page.screenshot({ path: info.outputPath('stopping.png') });
      const told = await last.finish('story');
      expect(told.text).toBe(story.text);
      expect(told.shoal.recoveries).toBe(0);
      await expect(lender.status).toHaveText(/^Off/, { timeout: 60_000 });
      await expect(lender.switch).not.toBeChecked();
      await expect.poll(() => lender.count('Peers helped', 2)).toBeGreaterThan(1);
    });

    await test.step('it stays off after a reload, and stops at once when it is asked to', async () => {
      await page.reload();
      await expect(lender.status).toHaveText(/^Off/);
      await lender.switch.check();
      await lender.button('Cancel').click();
      await expect(lender.status).toHaveText(/^Off/);
      await lender.switch.check();
      await lender.shares();
      await lender.button('Stop at once').click();
      await expect(lender.status).toHaveText(/^Off/);
    });
  } finally {
    await Promise.all(open.map((one) => one.close()));
    await relay.close();
  }
});

/** Pictures for people, and what axe finds, light and dark, on a desk and on a phone. */
async function look(page: Page, path: string): Promise<void> {
  await page.getByText('How energy is estimated').click();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const size of [
      { width: 1100, height: 800 },
      { width: 360, height: 740 },
    ]) {
      await page.setViewportSize(size);
      expect(await violations(page, 'main')).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)).toBe(false);
      await page.screenshot({ path: `${path}-${colorScheme}-${size.width}.png` });
      // All of it: the view scrolls, not the page.
      await page.setViewportSize({ width: size.width, height: 3400 });
      await page.screenshot({ path: `${path}-${colorScheme}-${size.width}-whole.png` });
    }
  }
  await page.setViewportSize({ width: 1100, height: 800 });
  await page.emulateMedia({ colorScheme: null });
}
