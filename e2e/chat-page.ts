import { type BrowserContext, expect, type Locator, type Page } from '@playwright/test';

/** The chat page as a user meets it: everything is found by its accessible name. */
export class ChatPage {
  constructor(readonly page: Page) {}

  get box(): Locator {
    return this.page.getByRole('textbox', { name: 'Message' });
  }
  get send(): Locator {
    return this.page.getByRole('button', { name: 'Send' });
  }
  get stop(): Locator {
    return this.page.getByRole('button', { name: 'Stop', exact: true });
  }
  get log(): Locator {
    return this.page.getByRole('log', { name: 'Conversation' });
  }
  get answers(): Locator {
    return this.log.getByRole('article', { name: 'Shoal' });
  }
  get questions(): Locator {
    return this.log.getByRole('article', { name: 'You' });
  }
  get status(): Locator {
    return this.page.getByRole('status', { name: 'Status' });
  }

  /** Opens the page with short greedy answers. */
  async open(settings = { temperature: 0, maxTokens: 24 }): Promise<void> {
    await this.page.addInitScript(
      (value) => localStorage.setItem('shoal.settings', value),
      JSON.stringify(settings),
    );
    await this.page.goto('/');
  }

  async ready(): Promise<void> {
    await this.page.evaluate(() => window.shoal.ready);
    await expect(this.status).toContainText('Ready in this tab');
  }

  /** Asks and waits for the end of the answer. @returns its text, without the line under it */
  async ask(text: string): Promise<string> {
    await this.box.fill(text);
    await this.send.click();
    await this.finished();
    return this.lastAnswer();
  }

  async finished(): Promise<void> {
    await expect(this.log).toHaveAttribute('aria-busy', 'false', { timeout: 90_000 });
  }

  /** Text of the newest answer, without what is told under it; '' before its first word. */
  async lastAnswer(): Promise<string> {
    return this.answers.last().evaluate((article) => {
      const text = article.querySelector<HTMLElement>('[data-part="text"]');
      return text?.innerText.trim() ?? '';
    });
  }

  /** Begins a chat, by the button of the bar or of the list. */
  async newChat(): Promise<void> {
    await this.page.getByRole('button', { name: 'New chat' }).first().click();
    await expect(this.questions).toHaveCount(0);
  }

  /** Does something that begins an answer, and waits for its end. */
  async answered(begin: () => Promise<unknown>): Promise<string> {
    await begin();
    await this.finished();
    return this.lastAnswer();
  }
}

/** What a context asks of the network. */
export interface Traffic {
  /** Bytes of weight files that were answered. */
  modelBytes: number;
  /** Addresses outside the page's origin. */
  foreign: string[];
  /** Console errors, those of a violated content security policy among them. */
  errors: string[];
}

/** Counts from now on. @param origin of the page */
export function watch(context: BrowserContext, origin: string): Traffic {
  const traffic: Traffic = { modelBytes: 0, foreign: [], errors: [] };
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.origin !== origin) traffic.foreign.push(url.href);
  });
  context.on('response', (response) => {
    if (/\/models\/[^/]+\/files\//.test(response.url())) {
      traffic.modelBytes += Number(response.headers()['content-length'] ?? 0);
    }
  });
  context.on('console', (message) => {
    if (message.type() === 'error' || /content security policy/i.test(message.text())) {
      traffic.errors.push(message.text());
    }
  });
  context.on('weberror', (error) => traffic.errors.push(String(error.error())));
  return traffic;
}
