import { type BrowserContext, expect, type Locator } from '@playwright/test';
import { ChatPage } from '../chat-page.ts';

/** The page as an app of its device: its worker, its caches and what it tells of them. */
export class AppPage extends ChatPage {
  static async open(context: BrowserContext, address: string): Promise<AppPage> {
    const app = new AppPage(await context.newPage());
    await app.page.goto(address);
    return app;
  }

  get newer(): Locator {
    return this.page.getByText('A newer version of this page is ready.');
  }
  get reload(): Locator {
    return this.page.getByRole('button', { name: 'Reload', exact: true });
  }

  /** Until a worker serves this page. */
  async kept(): Promise<void> {
    await this.page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated');
  }

  /** Until the engine's runtime is kept as well, so that answers come offline. */
  async answersOffline(): Promise<void> {
    await this.page.waitForFunction(async () => {
      const name = (await caches.keys()).find((one) => one.startsWith('shoal-ort-'));
      return name !== undefined && (await (await caches.open(name)).keys()).length >= 2;
    });
  }

  /** Kept builds of the page. */
  builds(): Promise<string[]> {
    return this.page.evaluate(async () =>
      (await caches.keys()).filter((name) => name.startsWith('shoal-page-')),
    );
  }

  /** What newer-page.ts adds to a part of the page: `build` to the whole, `share` to the share view. */
  mark(part: 'build' | 'share'): Promise<string | undefined> {
    return this.page.evaluate((name) => document.documentElement.dataset[name], part);
  }

  async view(name: 'Chat' | 'Share' | 'Network' | 'Settings'): Promise<void> {
    await this.page.getByRole('link', { name, exact: true }).click();
    if (name !== 'Chat') await expect(this.page.getByRole('heading', { level: 1 })).toBeVisible();
  }
}
