import { expect, test } from '@playwright/test';
import { violations } from './axe.ts';
import { ChatPage, watch } from './chat-page.ts';
import { tell } from './told-answer.ts';

const ANSWER = String.raw`### A short lesson

The area of a circle is \(A = \pi r^2\), and it costs between $5 and $10. **Bold**, *slanted* and ~~gone~~ words, ${'`code`'}, and [a page](https://far.example/page).

\[
\int_0^1 x^2 \, dx = \frac{1}{3}
- 0
\]

1. First item with $e^{i\pi} + 1 = 0$

   ${'```'}python
   def hello(name: str) -> None:
       print(f"Hello, {name}!")  # greets
   ${'```'}

2. Second item
   - [x] done
   - [ ] to do

| Name | Sum | A column with a long title | Another column with a long title | And one more of them |
|:-----|----:|---|---|---|
| One  | 1.5 | a | b | c |
| Two  | 22.5 | a | b | c |

${'```'}typescript
export async function* numbers(from: number): AsyncGenerator<number> {
  for (let i = from; ; i++) yield i; // ${'without end '.repeat(12)}
}
${'```'}

> A quote, and a picture: ![of a cat](https://far.example/cat.png)

$$ \sum_{k=1}^{n} k = \frac{n(n+1)}{2} $$
`;

const EVIL = String.raw`<script>window.hit = 1</script><img src="https://far.example/x.png" onerror="window.hit = 2">
<style>body { display: none }</style><iframe src="https://far.example/"></iframe>

![](https://far.example/pixel.png) [run](javascript:window.hit=3) [data](data:text/html,<script>window.hit=4</script>)
[settings](#/settings) [me](/status) <a href="https://far.example" onclick="window.hit = 5">x</a>

$\href{javascript:window.hit=6}{x}$ $\includegraphics{https://far.example/y.png}$ \(\htmlStyle{position:fixed}{x}\)

$$ \def\a{aaaaaaaaaa}\def\b{\a\a\a\a\a\a\a\a}\b\b\b\b $$

\[ \rule{900em}{900em} \kern-400em \text{over the page} \]

${'```'}html
<img src="https://far.example/z.png"><script>window.hit = 7</script>
${'```'}

Turned: ${'\u202e'}gpj.exe
`;

const BOMBS = [
  '>'.repeat(100_000),
  '[[[['.repeat(25_000),
  '*a**a*'.repeat(20_000),
  Array.from({ length: 10_000 }, (_, i) => `${' '.repeat(i % 100)}- a`).join('\n'),
  `|a|b|\n|-|-|\n${'|x|y|\n'.repeat(5_000)}`,
  `$$\n${'x^{'.repeat(30_000)}\n$$`,
  '```\n'.repeat(30_000),
  `\`\`\`c\n${'a '.repeat(15_000)}\n\`\`\``,
  `${'x'.repeat(1_000)} `.repeat(1_000),
  'lorem ipsum **dolor** sit amet\n\n'.repeat(10_000),
  '\u0000'.repeat(1_000) + '![a](https://far.example/b.png)'.repeat(3_000),
];

test('an answer is read as it was meant, and nothing in it runs or leaves the page', async ({
  page,
  baseURL,
}) => {
  const traffic = watch(page.context(), new URL(baseURL!).origin);
  const chat = new ChatPage(page);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  // The network route loads no model of its own, and the answers here are told.
  await chat.open({ temperature: 0, maxTokens: 24, route: 'network' } as never);
  await expect(chat.box).toBeVisible();

  await test.step('the first formula brings what it is drawn with', async () => {
    await tell(page, { text: 'So \\(x\\).' });
    await chat.ask('A formula?');
    await expect(chat.answers.last().locator('math')).toBeAttached();
  });

  await test.step('while it streams, only its end moves', async () => {
    await tell(page, { text: ANSWER });
    await page.evaluate(watchBlocks);
    await chat.ask('Tell me everything');
    const moved = await page.evaluate(() => (window as unknown as { moved: string[] }).moved);
    expect(moved).toEqual([]);
  });

  const answer = chat.answers.last();
  await test.step('code, tables, formulas, links and tasks', async () => {
    await expect(answer.getByRole('heading', { name: 'A short lesson' })).toBeVisible();
    await expect(answer.locator('math')).toHaveCount(4);
    await expect(answer.locator('.katex-error')).toHaveCount(0);
    await expect(answer).toContainText('between $5 and $10');
    await expect(answer.locator('.rich-keyword').first()).toBeVisible();
    await expect(answer.getByRole('table')).toHaveCount(1);
    await expect(answer.getByRole('img', { name: 'Done', exact: true })).toBeVisible();
    const link = answer.getByRole('link', { name: 'a page' });
    await expect(link).toHaveAttribute('href', 'https://far.example/page');
    await expect(link).toHaveAttribute('target', '_blank');
    await expect(link).toHaveAttribute('rel', 'noopener noreferrer nofollow');
    await expect(link).toHaveAttribute('title', 'https://far.example/page');
    await expect(answer.getByRole('link', { name: 'Picture: of a cat' })).toBeVisible();
    await expect(answer.locator('img')).toHaveCount(0);
    // A formula that was drawn has its place: its letters are here, and it is no taller than a few lines.
    const formula = await answer.locator('.rich-display .katex-html').first().boundingBox();
    expect(formula!.height).toBeGreaterThan(20);
    expect(formula!.height).toBeLessThan(120);
    expect(await page.evaluate(() => document.fonts.check('1em KaTeX_Main'))).toBe(true);
  });

  await test.step('code is copied, and what is wide scrolls in its own box by keyboard', async () => {
    await answer.getByRole('button', { name: 'Copy the code' }).last().click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(
      /^export async function\* numbers.*\n}$/s,
    );
    await page.setViewportSize({ width: 360, height: 740 });
    for (const box of [
      answer.getByRole('group', { name: 'Code, typescript' }),
      answer.getByRole('group', { name: 'Table' }),
    ]) {
      await box.focus();
      await page.keyboard.press('ArrowRight');
      await expect.poll(() => box.evaluate((element) => element.scrollLeft)).toBeGreaterThan(0);
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
    await page.screenshot({ path: test.info().outputPath('rich-phone.png') });
    await page.setViewportSize({ width: 1100, height: 800 });
  });

  await test.step('axe finds nothing in light and in dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page, '[role=log]'), colorScheme).toEqual([]);
      await page.screenshot({ path: test.info().outputPath(`rich-${colorScheme}.png`) });
    }
  });

  await test.step('what is evil is text', async () => {
    await tell(page, { text: EVIL, step: 16 });
    await chat.ask('Do your worst');
    const evil = chat.answers.last();
    await expect(evil).toContainText('<script>window.hit = 1</script>');
    await expect(evil).toContainText('Turned: \ufffdgpj.exe');
    await expect(evil.locator('script, iframe, img, style, object, embed, form')).toHaveCount(0);
    for (const link of await evil.getByRole('link').all()) {
      expect(await link.getAttribute('href')).toMatch(/^https:\/\/far\.example\//);
    }
    const wide = await evil.evaluate((element) => element.scrollWidth <= element.clientWidth + 1);
    expect(wide).toBe(true);
    expect(await page.evaluate(() => (window as unknown as { hit?: number }).hit)).toBeUndefined();
  });

  await test.step('bombs end as text, in bounded time and size', async () => {
    for (const [i, text] of BOMBS.entries()) {
      await tell(page, { text, step: Math.ceil(text.length / 5) });
      await chat.ask(`Bomb ${i}`);
      const elements = await chat.answers.last().evaluate((article) => article.querySelectorAll('*').length);
      expect(elements, `bomb ${i}`).toBeLessThan(8_000);
      await chat.newChat();
    }
  });

  expect(traffic.foreign).toEqual([]);
  expect(traffic.errors).toEqual([]);
});

/** In the page: at each frame, whether a block of the newest answer moved that is followed by another. */
function watchBlocks(): void {
  const moved: string[] = [];
  Object.assign(window, { moved });
  const tops = new Map<Element, number>();
  const look = () => {
    const rich = [...document.querySelectorAll('[role=log] .rich')].at(-1);
    const blocks = rich ? [...rich.children].slice(0, -1) : [];
    for (const block of blocks) {
      const top = block.getBoundingClientRect().top - rich!.getBoundingClientRect().top;
      const before = tops.get(block);
      if (before !== undefined && Math.abs(before - top) > 1) {
        moved.push(`${Math.round(before)} to ${Math.round(top)}: ${block.textContent?.slice(0, 60)}`);
      }
      tops.set(block, top);
    }
    requestAnimationFrame(look);
  };
  look();
}
