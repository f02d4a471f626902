import { type Browser, expect, test } from '@playwright/test';
import { ChatPage } from './chat-page.ts';

const MESSAGES = 10_000;
const TOKENS = 5_000;
/** Milliseconds that one task may keep the page's main thread busy while the answer streams. */
const LONGEST_TASK = 100;

interface Measured {
  /** Tasks above 50 ms by the clock, as the browser tells them. */
  tasks: number[];
  /** Sum of layout shifts that no input explains. */
  shift: number;
  frames: number;
  /** Milliseconds between frames, the longest hundredth left out. */
  gap99: number;
  seconds: number;
  text: string;
}

test('10,000 messages and an answer of 5,000 tokens stay smooth', async ({ page, browser }, info) => {
  const chat = new ChatPage(page);
  // This measures the page: the answer comes from a generator in it, and no model is loaded.
  await chat.open({ route: 'network', temperature: 0, maxTokens: TOKENS } as never);
  await page
    .locator('input[type=file][accept*=json]')
    .first()
    .setInputFiles({
      name: 'history.json',
      mimeType: 'application/json',
      buffer: Buffer.from(JSON.stringify(history())),
    });
  await page.getByRole('button', { name: 'Ten thousand messages', exact: true }).click();
  await expect(chat.questions.last()).toContainText(`Question ${MESSAGES / 2 - 1}`);
  expect(await chat.log.getByRole('article').count()).toBeLessThanOrEqual(40);

  // Back through it by the button and by scrolling: what is read stays where it is.
  const first = await chat.questions.first().innerText();
  await page.getByRole('button', { name: /^Show earlier messages/ }).focus();
  await expect(page.getByRole('button', { name: 'Jump to the newest' })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(chat.questions.first()).not.toHaveText(first);
  await expect(chat.questions.filter({ hasText: first.split('\n')[0]! })).toBeInViewport();
  const before = await chat.questions.first().innerText();
  await page.evaluate(() => {
    const box = document.querySelector('.chat-scroll')!;
    box.scrollTop = 0;
  });
  await expect(chat.questions.first()).not.toHaveText(before);
  await page.getByRole('button', { name: 'Jump to the newest' }).click();
  await expect(chat.questions.last()).toBeInViewport();
  // Back at the newest, the old ones go again.
  await expect(chat.log.getByRole('article')).toHaveCount(40);

  await page.evaluate(answerLocally, TOKENS);
  await page.evaluate(measure);
  await chat.box.fill('Tell me everything.');
  // From here on nothing of the test's own runs in the page: an assertion there is work of 100 ms and more.
  const done = page.evaluate(untilDone);
  const tasksOf = await traceTasks(browser);
  await page.keyboard.press('Enter');
  await done;
  const busy = await tasksOf();
  const measured: Measured = await page.evaluate(() =>
    (window as unknown as { measured(): Measured }).measured(),
  );
  expect(measured.text).toContain('Paragraph 1 ');
  // It followed the end.
  expect(
    await page.evaluate(() => {
      const box = document.querySelector('.chat-scroll')!;
      return box.scrollHeight - box.scrollTop - box.clientHeight;
    }),
  ).toBeLessThan(4);
  expect(await chat.log.getByRole('article').count()).toBeLessThanOrEqual(120);

  const { tasks, shift, frames, gap99, seconds } = measured;
  const longest = Math.max(0, ...busy);
  const line =
    `${TOKENS} tokens over ${MESSAGES} messages in ${seconds.toFixed(1)} s: ` +
    `the longest task worked ${longest.toFixed(0)} ms; by the clock, which counts what else this machine does, ` +
    `${tasks.length} took above 50 ms, the longest ${Math.max(0, ...tasks).toFixed(0)} ms; ` +
    `${frames} frames, 99 of 100 within ${gap99.toFixed(0)} ms; layout shift ${shift.toFixed(4)}`;
  console.log(line);
  info.annotations.push({ type: 'measured', description: line });
  expect(shift).toBeLessThan(0.02);
  expect(longest).toBeLessThan(LONGEST_TASK);
});

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** Microseconds of the thread's own time, without those in which the machine did something else. */
  tdur?: number;
  args?: { name?: string };
}

/**
 * Records what the page's main thread works from now on. The browser's `longtask` entries go by the clock: on a busy
 * machine a task of five milliseconds lasts two hundred.
 * @returns a function that ends it and gives the milliseconds of each task
 */
async function traceTasks(browser: Browser): Promise<() => Promise<number[]>> {
  const session = await browser.newBrowserCDPSession();
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', '__metadata'], excludedCategories: ['*'] },
  });
  return async () => {
    const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
    await session.send('Tracing.end');
    await complete;
    const main = new Set<string>();
    for (const { name, pid, tid, args } of events) {
      if (name === 'thread_name' && args?.name === 'CrRendererMain') main.add(`${pid} ${tid}`);
    }
    const tasks = events.filter(
      ({ name, pid, tid }) => name === 'ThreadControllerImpl::RunTask' && main.has(`${pid} ${tid}`),
    );
    expect(tasks.length).toBeGreaterThan(1000);
    return tasks.map(({ tdur }) => (tdur ?? 0) / 1000);
  };
}

/** One conversation in the format of the page's own export. */
function history(): object {
  const messages = Array.from({ length: MESSAGES }, (_, i) => ({
    id: `m${i}`,
    parent: i === 0 ? null : `m${i - 1}`,
    role: i % 2 === 0 ? 'user' : 'assistant',
    content:
      i % 2 === 0
        ? `Question ${i / 2}: what about it?`
        : `Answer ${(i - 1) / 2}. It has **two** sentences.\n\n- one\n- two`,
    attachments: [],
    createdAt: 1_700_000_000_000 + i,
    state: 'done',
    error: null,
    happened: null,
  }));
  const conversation = {
    id: 'long',
    title: 'Ten thousand messages',
    createdAt: 1_700_000_000_000,
    updatedAt: Date.now(),
    model: 'smollm2-135m-instruct',
    pinned: false,
    renamed: true,
    head: `m${MESSAGES - 1}`,
    system: '',
    sampling: { temperature: null, topP: null, maxTokens: null, seed: null },
    messages,
  };
  return {
    format: 'shoal-conversations/1',
    exportedAt: new Date().toISOString(),
    conversations: [conversation],
  };
}

/** Runs in the page: answers with so many tokens of Markdown, a few at each turn of the event loop. */
function answerLocally(tokens: number): void {
  const parts: string[] = [];
  for (let n = 1; parts.length < tokens; n++) {
    const words =
      `Paragraph ${n} of an answer that goes on for a while, with **strong** words and \`code\`. `.split(
        /(?<= )/,
      );
    parts.push(...words, '\n\n');
    if (n % 4 === 0) parts.push('- a', ' list\n', '- of', ' two\n\n');
    if (n % 9 === 0) parts.push('```js\n', 'const', ' fish', ' = ', `${n}`, ';\n', '```\n\n');
  }
  const timings = {
    first_token_ms: 5,
    tokens_per_second: 200,
    compute_ms: 1,
    wire_ms: 0,
    compute_ms_per_token: 1,
    wire_ms_per_token: 0,
  };
  const shoal = {
    route: 'local',
    reason: null,
    privacy: 'private',
    hops: [],
    token_ids: [],
    timings,
    recoveries: 0,
  };
  const common = { id: 'x', object: 'chat.completion.chunk', created: 0, model: 'test' };
  async function* answer() {
    for (let i = 0; i < tokens; i++) {
      const trace = [
        { kind: 'token', at_ms: i * 5, ms: 5, positions: 1, own_ms: 4, hops_ms: [], wire_ms: 0 },
      ];
      yield {
        ...common,
        choices: [{ index: 0, delta: { content: parts[i] }, finish_reason: null }],
        shoal: { ...shoal, trace },
      };
      // 200 tokens a second, which is faster than any tab.
      if (i % 4 === 3) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const usage = {
      prompt_tokens: 100,
      completion_tokens: tokens,
      total_tokens: tokens + 100,
      prompt_tokens_details: { cached_tokens: 0 },
    };
    yield {
      ...common,
      choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
      usage,
      shoal: { ...shoal, trace: [] },
    };
  }
  Object.assign(window.shoal.chat.completions, { create: async () => answer() });
}

/** Runs in the page: resolves when an answer has begun and is done. */
function untilDone(): Promise<void> {
  const log = document.querySelector('[role=log]')!;
  let begun = false;
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      const busy = log.getAttribute('aria-busy') === 'true';
      begun ||= busy;
      if (!begun || busy) return;
      observer.disconnect();
      resolve();
    });
    observer.observe(log, { attributes: true });
  });
}

/** Runs in the page: watches tasks, frames and layout shifts until `measured` is asked. */
function measure(): void {
  const tasks: number[] = [];
  let shift = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks.push(duration);
  }).observe({ type: 'longtask' });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & {
      value: number;
      hadRecentInput: boolean;
    })[]) {
      if (!entry.hadRecentInput) shift += entry.value;
    }
  }).observe({ type: 'layout-shift' });
  const gaps: number[] = [];
  const start = performance.now();
  let last = start;
  let running = true;
  const frame = (now: number) => {
    gaps.push(now - last);
    last = now;
    if (running) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const measured = () => {
    running = false;
    gaps.sort((a, b) => a - b);
    const answers = document.querySelectorAll<HTMLElement>('[role=log] article [data-part=text]');
    const text = answers[answers.length - 1]!.innerText;
    const gap99 = gaps[Math.floor(gaps.length * 0.99)] ?? 0;
    return { tasks, shift, frames: gaps.length, gap99, seconds: (performance.now() - start) / 1000, text };
  };
  Object.assign(window, { measured });
}
