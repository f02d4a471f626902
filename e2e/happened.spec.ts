import { expect, type Page, test } from '@playwright/test';
import type { Hop, TraceEntry } from '../src/sdk/early.ts';
import { violations } from './axe.ts';
import { ChatPage, watch } from './chat-page.ts';
import { tell } from './told-answer.ts';

const hop = (peer: string, start: number, path: Hop['path']): Hop => ({
  ...{ peer, start, end: start + 9, path, backend: 'jspi', round_trip_ms: 12 },
});
const HOPS = [
  hop('peer-aaaaaa', 3, 'direct'),
  hop('peer-bbbbbb', 12, 'relayed'),
  hop('peer-cccccc', 21, 'direct'),
];

/** A turn over three hops, one of which is replaced in its middle. */
function turn(tokens: number): TraceEntry[] {
  const trace: TraceEntry[] = [
    { kind: 'opened', at_ms: 0, ms: 420 },
    {
      ...{ kind: 'prefill', at_ms: 420, ms: 900, positions: 64 },
      ...{ own_ms: 90, hops_ms: [300, 260, 120], wire_ms: 130 },
    },
  ];
  let at = 1_320;
  for (let i = 2; i <= tokens; i++) {
    const lost = i === Math.floor(tokens / 2);
    if (lost) {
      trace.push({
        kind: 'lost',
        at_ms: at + 20,
        peer: 'peer-dddddd',
        start: 12,
        end: 21,
        reason: 'its tab was closed',
      });
      trace.push({ kind: 'recovered', at_ms: at + 20, ms: 600, replayed: 64 + i, peers: ['peer-bbbbbb'] });
    }
    const wire_ms = 14 + (i % 5) + (lost ? 600 : 0);
    const hops_ms = [11 + (i % 3), 24 + (i % 7), 9];
    const ms = 6 + wire_ms + hops_ms.reduce((sum, part) => sum + part, 0);
    trace.push({ kind: 'token', at_ms: at, ms, positions: 1, own_ms: 6, hops_ms, wire_ms });
    at += ms;
  }
  return trace;
}

const network = (trace: TraceEntry[]) => ({
  route: 'network' as const,
  hops: HOPS,
  trace,
  recoveries: 1,
  timings: {
    ...{ first_token_ms: 1_320, tokens_per_second: 15.2, compute_ms: 4_000, wire_ms: 1_500 },
    ...{ compute_ms_per_token: 52, wire_ms_per_token: 16 },
  },
});

const settingsNow = (page: Page) =>
  page.evaluate(() => JSON.parse(localStorage.getItem('shoal.settings') ?? '{}'));

test('what happened is told in a line, and opened, as a picture, in words and as a table', async ({
  page,
  baseURL,
}) => {
  const traffic = watch(page.context(), new URL(baseURL!).origin);
  const chat = new ChatPage(page);
  await chat.open({ temperature: 0, maxTokens: 12, route: 'network' } as never);
  await expect(chat.box).toBeVisible();

  await test.step('an answer of 40 tokens, with the keyboard alone', async () => {
    await tell(page, { text: 'A short answer. '.repeat(10), shoal: network(turn(40)), tokens: 40 });
    await chat.ask('Over the network?');
    const line = chat.answers.last().getByRole('button', { name: /^over 3 peers, 1 relayed · 15 tokens\/s/ });
    await expect(line).toHaveAttribute('aria-expanded', 'false');
    await line.focus();
    await page.keyboard.press('Enter');
    const panel = page.getByRole('region', { name: 'What happened during this answer' });
    await expect(panel).toContainText('The first token came after 1.3 s.');
    await expect(panel).toContainText('Peer …dddddd with layers 12 to 20 was lost: its tab was closed');
    await expect(panel).toContainText('Peer 1 (…aaaaaa), layers 3 to 11, WebGPU');
    await expect(panel).toContainText('Peer 2 (…bbbbbb), layers 12 to 20, WebGPU, relayed');
    const slider = panel.getByRole('slider', { name: 'Step' });
    await page.keyboard.press('Tab');
    await expect(slider).toBeFocused();
    await page.keyboard.press('ArrowRight');
    await expect(slider).toHaveAttribute(
      'aria-valuetext',
      /^Reading 64 tokens took 900 ms: This tab 90 ms, Peer 1 /,
    );
    await page.keyboard.press('ArrowRight');
    await expect(slider).toHaveAttribute('aria-valuetext', /^Token 2 took .*On the way/);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const table = panel.getByRole('table');
    await expect(table.getByRole('row')).toHaveCount(1 + 43);
    await expect(table.getByRole('row', { name: /Lost: Peer …dddddd/ })).toBeAttached();
  });

  await test.step('axe finds nothing in light and dark, on a desktop and on a phone', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [name, width, height] of [
        ['desktop', 1100, 800],
        ['phone', 360, 740],
      ] as const) {
        await page.setViewportSize({ width, height });
        // The sidebar goes away with the next frames.
        const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
        await expect.poll(fits).toBe(true);
        expect(await violations(page, '[role=log]'), `${colorScheme} ${name}`).toEqual([]);
        await chat.answers
          .last()
          .getByRole('button', { name: /^over 3 peers/ })
          .scrollIntoViewIfNeeded();
        await page.screenshot({ path: test.info().outputPath(`happened-${colorScheme}-${name}.png`) });
      }
    }
    await page.setViewportSize({ width: 1100, height: 800 });
  });

  await test.step('2,000 tokens are drawn with as many elements as 40', async () => {
    await tell(page, { text: 'x '.repeat(40), shoal: network(turn(2_000)), tokens: 2_000 });
    await chat.ask('And a long one?');
    await chat.answers
      .last()
      .getByRole('button', { name: /^over 3 peers/ })
      .click();
    const panel = page.getByRole('region', { name: 'What happened during this answer' }).last();
    await panel.getByText('As a table').click();
    await expect(panel.getByRole('row', { name: /Tokens 2 to/ })).toBeAttached();
    expect(await panel.evaluate((element) => element.querySelectorAll('*').length)).toBeLessThan(900);
    await page.screenshot({ path: test.info().outputPath('happened-long.png') });
  });

  await test.step('an answer whose steps were not kept', async () => {
    await tell(page, { text: 'Old.', shoal: network([]) });
    await chat.ask('An old one?');
    await chat.answers
      .last()
      .getByRole('button', { name: /^over 3 peers/ })
      .click();
    await expect(chat.answers.last()).toContainText('The single steps of this answer were not kept.');
  });

  expect(traffic.foreign).toEqual([]);
  expect(traffic.errors).toEqual([]);
});

test('who could read what is said before the first send in each mode, and quietly after', async ({
  page,
}) => {
  const chat = new ChatPage(page);
  const note = page.getByRole('note').filter({ has: page.getByRole('button', { name: /^How/ }) });
  await chat.open({ temperature: 0, maxTokens: 12, route: 'network' } as never);

  await test.step('private, then light', async () => {
    await expect(note).toContainText('Private: over the network, peers get hidden states');
    await expect(note).toHaveClass(/first/);
    await tell(page, { text: 'Yes.' });
    await chat.ask('First?');
    await expect(note).not.toHaveClass(/first/);
    await page.getByRole('combobox', { name: 'Privacy' }).selectOption('light');
    await expect(note).toContainText('the first and the last peer can read the conversation');
    await expect(note).toHaveClass(/first/);
    await chat.ask('Second?');
    await expect(note).not.toHaveClass(/first/);
    expect((await settingsNow(page)).told).toEqual(['private', 'light']);
  });

  await test.step('the explanation, by keyboard', async () => {
    await note.getByRole('button').focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Who can read what' });
    await expect(dialog).toContainText('hidden states');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page, 'dialog'), colorScheme).toEqual([]);
      await page.screenshot({ path: test.info().outputPath(`privacy-${colorScheme}.png`) });
    }
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    await expect(note.getByRole('button')).toBeFocused();
  });

  await test.step('in this tab nothing leaves, and a real answer has its real steps', async () => {
    const again = await page.context().newPage();
    await page.close();
    const real = new ChatPage(again);
    await real.open({ temperature: 0, maxTokens: 12, route: 'local' } as never);
    await expect(
      again.getByRole('note').filter({ hasText: 'nothing that you write leaves it' }),
    ).toBeVisible();
    await real.ready();
    await real.ask('What is the capital of France?');
    await real.answers
      .last()
      .getByRole('button', { name: /^in this tab · / })
      .click();
    const panel = again.getByRole('region', { name: 'What happened during this answer' });
    await expect(panel).toContainText('This tab (WASM)');
    await expect(panel).toContainText(/Reading [\d.]+ (ms|s)/);
    const slider = panel.getByRole('slider', { name: 'Step' });
    await slider.press('End');
    await expect(slider).toHaveAttribute(
      'aria-valuetext',
      /^Token \d+ took [\d.]+ ms: This tab [\d.]+ ms\.$/,
    );
  });
});
