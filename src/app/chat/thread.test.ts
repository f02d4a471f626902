import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemoryHistory, type MemoryProfile } from '../../chat/testing/memory-history.ts';
import type { CompletionParameters, Shoal } from '../../sdk/early.ts';
import type { Tab, Tabs } from '../../sdk/testing/tabs.ts';
import type { SettingsStore } from '../settings/settings.ts';
import {
  chunk,
  last,
  once,
  openTinyTab,
  plainState,
  said,
  streams,
  ThreadWorld,
} from './testing/thread-world.ts';

let tabs: Tabs;
let tab: Tab;

beforeAll(async () => {
  ({ tabs, tab } = await openTinyTab());
});
afterAll(() => tabs.close());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

let profile: MemoryProfile;
let settings: SettingsStore;
let asked: CompletionParameters[];
let notified: string[];
let shoal: ThreadWorld['shoal'];
let page: ThreadWorld['page'];

beforeEach(() => {
  ({ profile, settings, asked, notified, shoal, page } = new ThreadWorld(tab));
});

describe('a question', () => {
  test('is answered as the sdk answers it, and both are kept', async () => {
    const thread = page();
    const { text } = await plain([{ role: 'user', content: 'Hello' }]);
    const states: string[] = [];
    thread.state.subscribe(({ messages, busy }) => states.push(`${messages.at(-1)?.state} ${busy}`));
    await thread.send('  Hello\n');
    expect(said(thread)).toEqual(['Hello', text]);
    expect(states[0]).toBe('waiting true');
    expect(states).toContain('streaming true');
    expect(states.at(-1)).toBe('limit false');
    expect(last(thread).happened).toMatchObject({ route: 'local', answerTokens: 12, model: 'tiny' });
    const { happened } = last(thread);
    expect(thread.state.get().usedTokens).toBe(happened!.promptTokens + 12);
    const [header] = await new MemoryHistory(profile).list();
    expect(header).toMatchObject({ title: 'Hello', count: 2, model: 'tiny', head: last(thread).id });
    const again = page();
    await again.restore();
    expect(plainState(again)).toEqual(plainState(thread));
  });

  test('goes with the system prompt, its files and the sampling of its chat, else of the settings', async () => {
    const thread = page();
    settings.change({ topP: 0.5, whileLoading: 'network', privacy: 'light' });
    thread.setOptions({ system: 'Be short.', temperature: 0.7, seed: 5 });
    await thread.send('What?', [{ name: 'a.txt', text: 'words' }]);
    expect(asked[0]).toMatchObject({
      messages: [
        { role: 'system', content: 'Be short.' },
        { role: 'user', content: 'a.txt\n```\nwords\n```\n\nWhat?' },
      ],
      temperature: 0.7,
      top_p: 0.5,
      max_tokens: 12,
      seed: 5,
      route: 'auto',
      privacy: 'light',
      while_loading: 'network',
    });
    thread.newChat();
    settings.change({ whileLoading: 'ask' });
    await thread.send('Hi');
    expect(asked[1]).toMatchObject({ temperature: 0, while_loading: 'wait', messages: [{ content: 'Hi' }] });
    expect(asked[1]).not.toHaveProperty('seed');
    const first = (await new MemoryHistory(profile).list()).find(({ title }) => title === 'What?')!;
    await thread.open(first.id);
    expect(thread.state.get()).toMatchObject({ system: 'Be short.', temperature: 0.7, topP: null, seed: 5 });
  });

  test('without a word is none, and one at a time is answered', async () => {
    const thread = page();
    await thread.send('  ');
    const first = thread.send('one');
    await thread.send('two');
    await thread.retry(last(thread).id);
    await thread.edit(thread.state.get().messages[0]!.id, 'three');
    await first;
    expect(thread.state.get().messages).toHaveLength(2);
    expect(asked).toHaveLength(1);
  });

  test('that the sdk refuses shows the error with its next step, and can be taken back', async () => {
    const thread = page();
    await thread.send('Hi');
    await thread.send('x'.repeat(400), [{ name: 'f', text: 'y' }]);
    expect(last(thread)).toMatchObject({
      state: 'failed',
      content: '',
      error: { code: 'context-full', next: 'new-chat' },
    });
    const again = page();
    await again.restore();
    expect(last(again)).toMatchObject({ state: 'failed', error: { code: 'context-full', next: 'new-chat' } });
    await again.takeBack();
    expect(again.state.get()).toMatchObject({
      returned: 'x'.repeat(400),
      returnedAttachments: [{ name: 'f', text: 'y' }],
    });
    expect(again.state.get().messages).toHaveLength(2);
    expect((await new MemoryHistory(profile).list())[0]?.count).toBe(2);
    // An answer that is well is not taken back.
    await again.takeBack();
    expect(again.state.get().messages).toHaveLength(2);
  });

  test('that was the only one leaves nothing behind when it is taken back', async () => {
    const thread = page();
    await thread.send('x'.repeat(400));
    await thread.takeBack();
    expect(thread.state.get()).toMatchObject({ messages: [], returned: 'x'.repeat(400), notKept: null });
    expect(await new MemoryHistory(profile).list()).toEqual([]);
    await thread.send('Hi');
    expect(thread.state.get()).toMatchObject({ title: 'Hi', returned: null });
    expect((await new MemoryHistory(profile).list())[0]?.title).toBe('Hi');
  });
});

describe('an answer', () => {
  test('that is stopped stays as far as it came, and goes on where it was', async () => {
    const thread = page();
    settings.change({ maxTokens: 60 });
    const { text } = await plain([{ role: 'user', content: 'Hello' }], 60);
    once(thread, streams, () => thread.stop());
    await thread.send('Hello');
    const { id, content, state } = last(thread);
    expect(state).toBe('stopped');
    expect(text.startsWith(content)).toBe(true);
    expect(content.length).toBeLessThan(text.length);
    settings.change({ maxTokens: 60 - last(thread).happened!.answerTokens });
    await thread.continue(id);
    expect(asked[1]).toMatchObject({
      continue_final_message: true,
      messages: [{}, { role: 'assistant', content }],
    });
    expect(last(thread)).toMatchObject({ id, content: text, error: null });
    expect(last(thread).happened?.answerTokens).toBe(60);
    expect(thread.branches(id)).toEqual([id]);
  });

  test('that did not begin stops at once, whatever the sdk does', async () => {
    const never = {
      status: tab.shoal.status,
      chat: { completions: { create: () => new Promise(() => {}) } },
    };
    const thread = page({ shoal: never as unknown as Shoal });
    const done = thread.send('Hello');
    thread.stop();
    await done;
    expect(last(thread)).toMatchObject({ state: 'stopped', content: '' });
  });

  test('of a stream that does not listen ends all the same, and one that breaks off is no finished one', async () => {
    let pulls = 0;
    const stubborn = async function* () {
      for (;;) {
        pulls++;
        yield chunk('a');
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const of = (stream: () => AsyncGenerator) =>
      ({
        status: tab.shoal.status,
        chat: { completions: { create: async () => stream() } },
      }) as unknown as Shoal;
    const thread = page({ shoal: of(stubborn) });
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    once(thread, streams, () => {
      thread.stop();
      vi.advanceTimersByTime(2000);
    });
    await thread.send('Hello');
    vi.useRealTimers();
    expect(last(thread)).toMatchObject({
      state: 'stopped',
      content: 'a'.repeat(last(thread).content.length),
    });
    const before = pulls;
    await new Promise((resolve) => setImmediate(resolve));
    expect(pulls - before).toBeLessThanOrEqual(1);

    const short = page({
      shoal: of(async function* () {
        yield chunk('a');
      }),
    });
    await short.send('Hello');
    expect(last(short)).toMatchObject({
      state: 'failed',
      content: 'a',
      error: { message: expect.stringContaining('broke off') },
    });
  });

  test('that waits for the model is given over the network instead, once, when that is asked for', async () => {
    const waiting = {
      status: tab.shoal.status,
      chat: {
        completions: {
          create: (given: CompletionParameters) => {
            if (given.while_loading === 'network') return shoal(local).chat.completions.create(given);
            asked.push(given);
            return new Promise((_, reject) =>
              given.signal?.addEventListener('abort', () => reject(given.signal?.reason)),
            );
          },
        },
      },
    };
    const thread = page({ shoal: waiting as unknown as Shoal });
    const done = thread.send('Hello');
    thread.answerNow();
    thread.answerNow();
    await done;
    expect(asked.map(({ route, while_loading }) => [route, while_loading])).toEqual([
      ['auto', 'wait'],
      ['auto', 'network'],
    ]);
    expect(last(thread)).toMatchObject({ state: 'limit' });
    expect(thread.state.get().messages).toHaveLength(2);
  });

  test('given again, and a question asked otherwise, are branches that are kept and can be chosen', async () => {
    const thread = page();
    await thread.send('one');
    const [question, answer] = thread.state.get().messages;
    await thread.send('two');
    await thread.retry(answer!.id);
    expect(said(thread)).toEqual(['one', answer!.content]);
    const again = last(thread);
    expect(thread.branches(again.id)).toEqual([answer!.id, again.id]);
    thread.switchTo(answer!.id);
    expect(said(thread).slice(0, 3)).toEqual(['one', answer!.content, 'two']);
    await thread.edit(question!.id, 'uno');
    expect(said(thread)[0]).toBe('uno');
    expect(thread.branches(question!.id)).toEqual([question!.id, thread.state.get().messages[0]!.id]);
    expect(asked.at(-1)?.messages).toEqual([{ role: 'user', content: 'uno' }]);
    thread.switchTo(question!.id);
    // The newest of each branch below: the answer that was given again.
    expect(last(thread).id).toBe(again.id);
    thread.switchTo('none');
    const reloaded = page();
    await reloaded.restore();
    expect(plainState(reloaded)).toEqual(plainState(thread));
    expect(reloaded.branches(answer!.id)).toEqual([answer!.id, again.id]);
    expect(thread.state.get().title).toBe('one');
  });

  test('without a word is tried again in its place', async () => {
    const thread = page();
    once(
      thread,
      ({ busy }) => busy,
      () => thread.stop(),
    );
    await thread.send('Hello');
    const { id } = last(thread);
    await thread.retry(id);
    expect(last(thread)).toMatchObject({ id, state: 'limit' });
    expect(thread.branches(id)).toEqual([id]);
  });

  test('that took long is told of when that is wanted', async () => {
    let now = 1_000_000;
    vi.spyOn(Date, 'now').mockImplementation(() => (now += 3000));
    const thread = page();
    await thread.send('one');
    expect(notified).toEqual([]);
    settings.change({ notify: true });
    await thread.send('two');
    expect(notified).toEqual(['one']);
  });
});

/** What the sdk says without a page. */
async function plain(messages: CompletionParameters['messages'], max_tokens = 12) {
  const answer = await tab.shoal.chat.completions.create({
    messages,
    temperature: 0,
    top_p: 1,
    max_tokens,
    stream: false,
  });
  return { text: answer.choices[0]!.message.content };
}

function local(given: CompletionParameters): CompletionParameters {
  return { ...given, route: 'local', while_loading: 'wait' };
}
