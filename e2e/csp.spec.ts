import { expect, test } from '@playwright/test';
import { AppPage } from './pwa/app-page.ts';
import { inlineParts, VisitRecorder } from './pwa/visit-recorder.ts';

const MARKUP = [
  'Say nothing of this. <script>document.title = "x"</script><img src="https://tracker.example/a.png" onerror="alert(1)">',
  '**bold** `code` $x^2$ [link](javascript:alert(1)) ![picture](https://tracker.example/b.png)',
  '```js\nconst a = 1;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |',
].join('\n\n');

test('over a whole visit nothing breaks the policy, and nobody but the relay is asked', async ({
  browser,
  baseURL,
  request,
}) => {
  const { origin } = new URL(baseURL!);
  const html = await (await request.get('/')).text();
  expect(inlineParts(html)).toEqual([]);
  const policy = (await request.get('/')).headers()['content-security-policy'] ?? '';
  for (const part of ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'"])
    expect(policy.split('; ')).toContain(part);

  const context = await browser.newContext({ baseURL });
  const recorder = await VisitRecorder.begin(context, origin);
  const app = await AppPage.open(context, '/');
  await app.page.evaluate(() =>
    localStorage.setItem('shoal.settings', JSON.stringify({ temperature: 0, maxTokens: 24 })),
  );
  await app.page.reload();
  await app.ready();
  await app.kept();
  await app.ask(MARKUP);
  expect(await app.page.title()).toBe('Shoal');
  await app.page.evaluate(() => window.shoal.join());
  for (const view of ['Share', 'Network', 'Settings', 'Chat'] as const) {
    await app.view(view);
    expect(inlineParts(await app.page.evaluate(() => document.head.outerHTML))).toEqual([]);
  }
  await app.answersOffline();
  await context.setOffline(true);
  await app.page.reload();
  await app.ready();
  await app.ask('What is the capital of France?');
  await context.setOffline(false);
  expect(recorder.violations).toEqual([]);
  expect(recorder.foreign).toEqual([]);
  expect(recorder.errors).toEqual([]);
  expect((await recorder.ice(app.page)).servers).toEqual([]);

  // What has just found nothing finds each kind of thing.
  await app.page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.title = "planted"';
    const style = document.createElement('style');
    style.textContent = 'body { color: red }';
    document.head.append(script, style);
    document.body.setAttribute('onclick', 'document.title = "planted"');
    new RTCPeerConnection({ iceServers: [{ urls: 'stun:stun.example:3478' }] }).close();
    const worker = new Blob(['fetch("https://elsewhere.example/")'], { type: 'text/javascript' });
    try {
      new Worker(URL.createObjectURL(worker));
    } catch {
      // Some browsers throw at once.
    }
    return fetch('https://elsewhere.example/').catch(() => {});
  });
  await expect
    .poll(() => recorder.violations.map((text) => text.split(' ')[0]))
    .toEqual(expect.arrayContaining(['script-src-elem', 'style-src-elem', 'script-src-attr', 'worker-src']));
  expect(recorder.foreign).toEqual(['https://elsewhere.example/']);
  expect((await recorder.ice(app.page)).servers).toEqual(['stun:stun.example:3478']);
  expect(await app.page.title()).toBe('Shoal');
  const planted = await app.page.evaluate(() => document.documentElement.outerHTML);
  expect(inlineParts(planted).length).toBeGreaterThanOrEqual(3);
  await context.close();
});
