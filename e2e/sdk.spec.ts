import { expect, test } from '@playwright/test';
import { ChatPage } from './chat-page.ts';

test.describe('the programmable door', () => {
  test('window.shoal answers as OpenAI does, and stops as soon as nobody reads', async ({ page }) => {
    const chat = new ChatPage(page);
    await chat.open();
    await chat.ready();
    const messages = [{ role: 'user' as const, content: 'Count from one to twenty.' }];

    const { whole, streamed, chunks } = await page.evaluate(async (messages) => {
      const settings = { messages, temperature: 0, max_tokens: 16 };
      const whole = await window.shoal.chat.completions.create(settings);
      const chunks = [];
      let streamed = '';
      for await (const chunk of await window.shoal.chat.completions.create({ ...settings, stream: true })) {
        chunks.push(chunk);
        streamed += chunk.choices[0]?.delta.content ?? '';
      }
      return { whole, streamed, chunks };
    }, messages);
    expect(whole).toMatchObject({ object: 'chat.completion', choices: [{ finish_reason: 'length' }] });
    expect(whole.choices[0]!.message.content).toBe(streamed);
    expect(whole.usage).toMatchObject({ completion_tokens: 16 });
    expect(whole.shoal).toMatchObject({ route: 'local', hops: [], recoveries: 0 });
    expect(whole.shoal.token_ids).toHaveLength(16);
    expect(chunks.at(-1)!.shoal.token_ids).toEqual(whole.shoal.token_ids);
    expect(chunks.at(-1)!.usage).toBeTruthy();
    expect(chunks.every(({ object }) => object === 'chat.completion.chunk')).toBe(true);
    const steps = ['opened', 'prefill', ...Array.from({ length: 15 }, () => 'token')];
    expect(whole.shoal.trace.map(({ kind }) => kind)).toEqual(steps);
    expect(chunks.flatMap(({ shoal }) => shoal.trace).map(({ kind }) => kind)).toEqual(steps);

    const { never, continued, listed } = await page.evaluate(
      async ([messages, begun]) => {
        const settings = { temperature: 0, max_tokens: 24 };
        // The question that was stopped last is the one whose tokens are remembered.
        const continued = await window.shoal.chat.completions.create({
          ...settings,
          messages: [...messages, { role: 'assistant', content: begun }],
          max_tokens: 8,
          continue_final_message: true,
        });
        const never = await window.shoal.chat.completions.create({ ...settings, messages });
        return { never, continued, listed: await window.shoal.models() };
      },
      [messages, streamed] as const,
    );
    expect(streamed + continued.choices[0]!.message.content).toBe(never.choices[0]!.message.content);
    expect(continued.usage.completion_tokens).toBeGreaterThan(0);
    expect(continued.usage.prompt_tokens - continued.usage.prompt_tokens_details.cached_tokens).toBe(1);
    expect(listed[0]).toMatchObject({ cached: true, contextTokens: 4096 });
    expect(listed[0]!.fit!.neededBytes).toBeGreaterThan(500e6);
    expect(['fits', 'tight']).toContain(listed[0]!.fit!.verdict);

    const left = await page.evaluate(async (messages) => {
      let read = 0;
      for await (const _ of await window.shoal.chat.completions.create({ messages, stream: true })) {
        if (++read === 3) break;
      }
      const started = performance.now();
      await window.shoal.chat.completions.create({ messages, max_tokens: 1 });
      return performance.now() - started;
    }, messages);
    expect(left).toBeLessThan(3000);
  });

  test('calls at once are answered in order; one that is aborted leaves at once; absurd ones are refused', async ({
    page,
  }) => {
    const chat = new ChatPage(page);
    await chat.open();
    await chat.ready();
    const outcome = await page.evaluate(async () => {
      const ask = (content: string, more: object = {}) =>
        window.shoal.chat.completions.create({
          messages: [{ role: 'user', content }],
          temperature: 0,
          max_tokens: 8,
          ...more,
        });
      const control = new AbortController();
      const order: string[] = [];
      const settled = await Promise.allSettled([
        ask('One?').then(() => order.push('first')),
        ask('Two?', { signal: control.signal }).catch((error) => {
          order.push('aborted');
          throw error;
        }),
        ask('Three?').then(() => order.push('third')),
        Promise.resolve().then(() => control.abort()),
      ]);
      const codes = await Promise.all(
        [{ temperature: 99 }, { route: 'moon' }, { max_tokens: -1 }, { nonsense: 1 }, { messages: [] }].map(
          (more) =>
            ask('Hello', more).then(
              () => 'taken',
              (error) => `${error.code} ${error.param}`,
            ),
        ),
      );
      const long = await ask('word '.repeat(20_000)).then(
        () => 'taken',
        (error) => error.code,
      );
      return { order, states: settled.map(({ status }) => status), codes, long };
    });
    expect(outcome.order).toEqual(['aborted', 'first', 'third']);
    expect(outcome.states).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(outcome.codes).toEqual([
      'bad-request temperature',
      'bad-request route',
      'bad-request max_tokens',
      'bad-request nonsense',
      'bad-request messages',
    ]);
    expect(outcome.long).toBe('context-full');
  });

  test('/sdk.js works in a page of one’s own', async ({ page }) => {
    await page.goto('/manifest.webmanifest');
    const text = await page.evaluate(async () => {
      // A variable, so that no bundler or type checker looks for the file.
      const address = '/sdk.js';
      const { createShoal } = await import(address);
      const shoal = createShoal();
      await shoal.ready;
      const answer = await shoal.chat.completions.create({
        messages: [{ role: 'user', content: 'What is the capital of France?' }],
        temperature: 0,
        max_tokens: 12,
      });
      await shoal.dispose();
      return answer.choices[0].message.content;
    });
    expect(text).toContain('Paris');
  });
});
