import { type Browser, expect, test } from '@playwright/test';
import { tinyModel } from '../src/sdk/testing/tiny-model.ts';
import { launchChromium } from './lab/launch.ts';

/** Long enough that the GPU is still at it when its process ends. */
const TOKENS = 160;

let browser: Browser;
test.beforeAll(async () => {
  browser = await launchChromium({ gpu: true });
});
test.afterAll(() => browser.close());

test('a GPU that is lost in mid-answer changes nothing but the back end', async ({ baseURL }) => {
  const page = await browser.newPage();
  // A document of the relay's that starts no model by itself.
  await page.goto(`${baseURL}/manifest.webmanifest`);
  const model = Array.from(tinyModel());
  const first = await page.evaluate(
    async ([bytes, tokens]) => {
      const address = '/sdk.js';
      const { createShoal } = await import(address);
      const shoal = createShoal({ model: false, backends: ['jspi', 'wasm'] });
      const entry = await shoal.addModel(new File([new Uint8Array(bytes)], 'tiny.gguf'));
      await shoal.load(entry.id);
      const ask = (max_tokens: number) =>
        shoal.chat.completions.create({
          messages: [{ role: 'user', content: 'Hi' }],
          temperature: 0,
          max_tokens,
          stream: true,
        });
      const ids = async (max: number, onToken?: (count: number) => void) => {
        let last: { shoal: { token_ids: number[]; recoveries: number } } | null = null;
        for await (const chunk of await ask(max)) {
          last = chunk;
          onToken?.(chunk.shoal.token_ids.length);
        }
        return { ids: last?.shoal.token_ids ?? [], recoveries: last?.shoal.recoveries ?? 0 };
      };
      const before = await ids(tokens);
      let tell: () => void = () => {};
      const going = new Promise<void>((resolve) => {
        tell = resolve;
      });
      const pending = ids(tokens, (count) => {
        if (count >= 4) tell();
      });
      Object.assign(window, { pending, shoal });
      await going;
      return { before, backend: shoal.status.get().engine.backend };
    },
    [model, TOKENS] as const,
  );
  expect(first.backend).toBe('jspi');
  expect(first.before.ids).toHaveLength(TOKENS);

  const browserSession = await browser.newBrowserCDPSession();
  await browserSession.send('Browser.crashGpuProcess');

  const after = await page.evaluate(async () => {
    const { pending, shoal } = window as unknown as {
      pending: Promise<{ ids: number[]; recoveries: number }>;
      shoal: { status: { get(): { engine: { backend: string }; notices: string[] } } };
    };
    const answer = await pending;
    const { engine, notices } = shoal.status.get();
    return { answer, backend: engine.backend, notices };
  });
  expect(after.answer.ids).toEqual(first.before.ids);
  expect(after.answer.recoveries).toBe(1);
  expect(after.backend).toBe('wasm');
  expect(after.notices.join(' ')).toContain('The GPU was lost');
  await page.close();
});
