import { type Browser, expect, type Locator, type Page, test } from '@playwright/test';
import type { Shoal } from '../src/sdk/index.ts';
import { violations } from './axe.ts';
import { ChatPage } from './chat-page.ts';
import { MANY, startCrowd } from './network/generated-crowd.ts';
import { TestRelay } from './network/relay.ts';
import { Tab } from './network/tab.ts';

/** The view as a user meets it. */
class NetworkPage {
  constructor(readonly page: Page) {}

  get picture(): Locator {
    return this.page.getByRole('application', { name: 'Picture of the network' });
  }
  get peers(): Locator {
    return this.page.getByRole('table', { name: 'Peers' });
  }
  get links(): Locator {
    return this.page.getByRole('table', { name: 'Who is linked to whom' });
  }
  get card(): Locator {
    return this.page.getByRole('region', { name: 'Chosen peer' });
  }
  get hold(): Locator {
    return this.page.getByRole('button', { name: 'Hold what is missing' });
  }

  layer(name: string): Locator {
    return this.page.getByRole('option', { name, exact: true });
  }

  row(table: Locator, name: RegExp): Locator {
    return table.getByRole('row', { name });
  }
}

const named = (peer: string) => `…${peer.slice(-6)}`;

/** Opens the real page of a relay, without its own model. */
async function openPage(browser: Browser, relay: string): Promise<Page> {
  const context = await browser.newContext({ baseURL: relay, viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  await page.addInitScript(
    (settings) => localStorage.setItem('shoal.settings', settings),
    JSON.stringify({ route: 'network', temperature: 0, maxTokens: 8 }),
  );
  return page;
}

/** When the relay tells for the first time that a peer is gone; milliseconds since 1970. */
async function toldGone(relay: string, id: string): Promise<number> {
  const { body } = await fetch(`${relay}/v1/network/live`);
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of body!) {
    rest += decoder.decode(piece, { stream: true });
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const data = /^data: (.*)$/m.exec(rest.slice(0, end))?.[1];
      rest = rest.slice(end + 2);
      const told = data ? JSON.parse(data).hosts : undefined;
      if (!told || told.some(({ peer }: { peer: string }) => peer === id)) continue;
      return Date.now();
    }
  }
  throw new Error('The relay ended its stream.');
}

test('five people see each other, who holds what and who is linked to whom, and one of them makes it whole', async ({
  browser,
}, info) => {
  const relay = await TestRelay.start('none');
  const tabs: Tab[] = [];
  const page = await openPage(browser, relay.url);
  const view = new NetworkPage(page);
  try {
    await page.goto('/#/network');
    await expect(page.getByText('Nobody lends anything yet')).toBeVisible();
    await expect(view.picture).toHaveAttribute('data-source', 'relay');
    await expect(view.row(view.peers, /^this tab/)).toBeVisible();

    const first = await Tab.open(browser, relay.url);
    tabs.push(first);
    const second = await Tab.open(browser, relay.url);
    tabs.push(second);
    const third = await Tab.open(browser, relay.url, { iceServers: [] });
    tabs.push(third);
    const asker = await Tab.open(browser, relay.url);
    tabs.push(asker);
    // A browser whose connections to others never come about reaches them through the relay.
    await third.page.evaluate(() => {
      window.RTCPeerConnection.prototype.setRemoteDescription = () =>
        Promise.reject(new DOMException('No way through.', 'OperationError'));
    });
    const ids = [await first.share(2, 12), await second.share(10, 20), await third.share(20, 26)];
    await asker.network();

    await expect(view.picture).toHaveAttribute('data-peers', '6');
    await expect(page.getByRole('definition').first()).toHaveText('6');
    const [one, two, three] = ids.map(named);
    for (const [name, layers] of [
      [one, 'layers 2 to 11'],
      [two, 'layers 10 to 19'],
      [three, 'layers 20 to 25'],
    ]) {
      await expect(view.row(view.peers, new RegExp(`^${name} Lends layers ${layers} `))).toBeVisible();
    }
    await expect(view.row(view.peers, /^…\w+ Only asks/)).toBeVisible();
    await expect(view.row(view.peers, /^relay Relay/)).toBeVisible();

    // Between others, as they tell the relay, and this tab's own.
    await expect(
      view.row(view.links, new RegExp(`^(${one} ${two}|${two} ${one}) direct [\\d.]+ ms`)),
    ).toBeVisible();
    await expect(
      view.row(view.links, new RegExp(`${three} .*through the relay .*[\\d.]+ ms`)).first(),
    ).toBeVisible();
    await expect(view.row(view.links, /^this tab …\w+ direct .*[\d.]+ ms/).first()).toBeVisible();
    await expect(view.row(view.links, /^this tab relay WebSocket .*[\d.]+ ms/)).toBeVisible();

    for (const name of [
      'Layer 0: 0 peers, each tab that asks runs it itself',
      'Layer 5: 1 peer',
      'Layer 11: 2 peers',
      'Layer 27: 0 peers',
    ]) {
      await expect(view.layer(name)).toBeVisible();
    }
    await expect(page.getByText('Nobody holds layers 26 to 29: until somebody does')).toBeVisible();
    const cannot = await page.evaluate(() =>
      window.shoal.chat.completions
        .create({ messages: [{ role: 'user', content: 'Hello' }], route: 'network', max_tokens: 2 })
        .then(
          () => 'it answered',
          (error: { code: string }) => error.code,
        ),
    );
    expect(cannot).toBe('no-peers');

    await page.screenshot({ path: info.outputPath('network.png') });
    await walkByKeys(view, one!);
    await phoneAndDark(view, info.outputPath('phone'));

    await expect(page.getByText(/^Nobody holds layers 26 to 29 of .*about [\d.]+ MB/)).toBeVisible();
    await view.hold.click();
    await expect(page.getByRole('progressbar', { name: 'Getting ready to lend' })).toBeVisible();
    await expect(page.getByText(/^This device holds layers 26 to 29 of .*Thank you/)).toBeVisible({
      timeout: 60_000,
    });
    await expect(view.hold).toBeDisabled();
    await expect(view.layer('Layer 27: 1 peer, you among them')).toBeVisible();
    await expect(page.getByText('The network can answer with it.')).toBeVisible();
    const answer = await asker.ask({
      messages: [{ role: 'user', content: 'What is the capital of France?' }],
      max_tokens: 8,
    });
    expect(answer.text).toContain('Paris');

    // An own answer shows its way in the picture.
    await page.getByRole('link', { name: 'Chat', exact: true }).click();
    const chat = new ChatPage(page);
    await chat.box.fill('What is the capital of France?');
    await chat.send.click();
    await expect(chat.answers.last()).toContainText('Paris', { timeout: 60_000 });
    await chat.finished();
    await expect(chat.answers.last()).toContainText(
      /over \d peers.* · [\d.]+ tokens\/s · compute [\d.]+ ms \+ wire [\d.]+ ms per token/,
    );
    await page.getByRole('link', { name: 'Network', exact: true }).click();
    await expect(page.getByText('your last answer')).toBeVisible();
    await page.screenshot({ path: info.outputPath('route.png') });

    const told = toldGone(relay.url, ids[0]!.slice(-8));
    told.catch(() => {});
    const seen = page.evaluate(
      (id) =>
        new Promise<number>((resolve) => {
          const off = (window.shoal as Shoal).networkMap.subscribe(({ source, peers }) => {
            if (source !== 'relay' || peers.some((peer) => peer.id === id)) return;
            off();
            resolve(Date.now());
          });
        }),
      ids[0]!.slice(-8),
    );
    await tabs.shift()!.close();
    await expect(view.row(view.peers, new RegExp(`^${one} `))).toHaveCount(0);
    const ms = (await seen) - (await told);
    info.annotations.push({ type: 'gone', description: `${ms} ms after the relay told of it` });
    console.log(`A tab that closed left the picture ${ms} ms after the relay told of it.`);
    await expect(view.layer('Layer 5: 0 peers')).toBeVisible();

    await relay.kill();
    await expect(page.getByText('The relay does not answer.')).toBeVisible();
    await expect(view.picture).toHaveAttribute('data-source', 'own');
    await expect(view.row(view.peers, new RegExp(`^${two} Lends layers`))).toBeVisible();
    await relay.restart();
    await expect(view.picture).toHaveAttribute('data-source', 'relay', { timeout: 60_000 });
    await expect(page.getByText('The relay does not answer.')).toHaveCount(0);
  } finally {
    await Promise.all(tabs.map((tab) => tab.close()));
    await page.context().close();
    await relay.close();
  }
});

/** From the picture to a layer, with the keyboard alone. */
async function walkByKeys(view: NetworkPage, some: string): Promise<void> {
  const { page } = view;
  await view.picture.focus();
  await page.keyboard.press('Home');
  await expect(view.card).toContainText('this tab');
  const seen = new Set<string>();
  for (const key of ['ArrowUp', 'ArrowLeft', 'ArrowRight', 'ArrowRight', 'ArrowDown', 'ArrowLeft']) {
    await page.keyboard.press(key);
    seen.add(await view.card.getByRole('heading').innerText());
  }
  expect(seen.size, 'arrows go from peer to peer').toBeGreaterThan(2);
  await page.keyboard.press('+');
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('0');
  await page.keyboard.press('Escape');
  await expect(view.card).toHaveCount(0);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Zoom in' })).toBeFocused();
  await page.getByRole('button', { name: 'Find my node' }).press('Enter');
  await expect(view.card).toContainText('this tab');
  await page.getByRole('button', { name: 'Let go' }).press('Enter');
  await page.getByRole('button', { name: 'Show all' }).press('Enter');
  await page.getByRole('listbox', { name: /^Layers of/ }).focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Home');
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
  await expect(view.layer('Layer 3: 1 peer')).toHaveAttribute('aria-selected', 'true');
  await page.getByText('In words').press('Enter');
  const words = page.getByRole('table', { name: /^Holders of the layers/ });
  await expect(words.getByRole('row', { name: `2 to 9 1 ${some}` })).toBeVisible();
  await expect(words.getByRole('row', { name: '26 to 29 0 nobody' })).toBeVisible();
}

async function phoneAndDark(view: NetworkPage, path: string): Promise<void> {
  const { page } = view;
  const settle = () =>
    page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await settle();
    expect(await violations(page, 'main'), theme).toEqual([]);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await view.picture.scrollIntoViewIfNeeded();
  await settle();
  expect(await violations(page, 'main'), 'phone').toEqual([]);
  await page.screenshot({ path: `${path}-dark.png` });
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  expect(await wide()).toBe(false);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await settle();
  await page.screenshot({ path: `${path}.png` });
  // All of it: the page scrolls within its frame.
  await page.setViewportSize({ width: 360, height: 3_000 });
  await settle();
  await page.screenshot({ path: `${path}-whole.png` });
  await page.setViewportSize({ width: 1100, height: 2_000 });
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' });
  await settle();
  await page.screenshot({ path: path.replace('phone', 'whole.png') });
  await page.setViewportSize({ width: 1100, height: 800 });
}

/** Milliseconds of processor time of every task of the page's main thread, the longest first. */
async function cpuOfTasks(page: Page, work: () => Promise<void>): Promise<number[]> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, {
    categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'],
  });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: { name: string; pid: number; tid: number; tdur?: number; args?: { name?: string } }[];
  };
  const pages = traceEvents.filter(
    ({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain',
  );
  const threads = new Set(pages.map(({ pid, tid }) => `${pid} ${tid}`));
  return traceEvents
    .filter(({ name, pid, tid }) => name === 'RunTask' && threads.has(`${pid} ${tid}`))
    .map(({ tdur = 0 }) => Math.round(tdur / 1000))
    .sort((a, b) => b - a);
}

test('500 peers are readable, and the page stays quick while they come and go', async ({ page }, info) => {
  const crowd = await startCrowd();
  try {
    await page.addInitScript(() => {
      const measured = { tasks: [] as number[], frames: 0 };
      Object.assign(window, { measured });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) measured.tasks.push(Math.round(duration));
      }).observe({ type: 'longtask', buffered: true });
      const count = () => {
        measured.frames++;
        requestAnimationFrame(count);
      };
      requestAnimationFrame(count);
    });
    await page.goto(`/?relay=${encodeURIComponent(crowd.url)}#/network`);
    const view = new NetworkPage(page);
    await expect(view.picture).toHaveAttribute('data-peers', String(MANY));
    await expect(page.getByRole('button', { name: 'Next page of Peers' })).toBeVisible();
    const measure = () =>
      page.evaluate(() => {
        const { measured } = window as unknown as { measured: { tasks: number[]; frames: number } };
        const { tasks, frames } = measured;
        Object.assign(measured, { tasks: [], frames: 0 });
        return { tasks, frames };
      });
    const begin = await measure();
    const cpu = await cpuOfTasks(page, async () => {
      // Several changes of the whole shoal, with the hand on the picture.
      const changes = page.evaluate(
        () =>
          new Promise<void>((resolve) => {
            let left = 6;
            const off = (window.shoal as Shoal).networkMap.subscribe(() => {
              if (--left > 0) return;
              off();
              resolve();
            });
          }),
      );
      const box = (await view.picture.boundingBox())!;
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await page.screenshot({ path: info.outputPath('crowd.png') });
      await page.mouse.down();
      await page.mouse.move(box.x + box.width / 2 + 90, box.y + box.height / 2 + 20, { steps: 12 });
      await page.mouse.up();
      await view.picture.focus();
      for (const key of ['+', '+', 'ArrowRight', 'ArrowRight', 'ArrowUp', '-', '0'])
        await page.keyboard.press(key);
      await expect(view.card).toContainText('Links');
      await changes;
    });
    const busy = await measure();
    const report = (name: string, { tasks, frames }: typeof busy) =>
      `${name}: ${frames} frames, long tasks of ${tasks.sort((a, b) => b - a).join(', ') || 'none'} ms`;
    console.log(report('until 500 peers were there', begin));
    console.log(report('over six changes, drag, zoom and keys', busy));
    console.log(`processor time of the longest of ${cpu.length} tasks: ${cpu.slice(0, 12).join(', ')} ms`);
    await page.screenshot({ path: info.outputPath('crowd-chosen.png') });
    expect(await violations(page, 'main')).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.screenshot({ path: info.outputPath('crowd-phone.png') });
  } finally {
    await crowd.close();
  }
});
