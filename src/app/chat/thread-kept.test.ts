import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { conversation, message } from '../../chat/testing/conversations.ts';
import { MemoryHistory, MemoryProfile } from '../../chat/testing/memory-history.ts';
import { ChatError } from '../../chat/web.ts';
import type { Shoal } from '../../sdk/early.ts';
import type { Tab, Tabs } from '../../sdk/testing/tabs.ts';
import type { SettingsStore } from '../settings/settings.ts';
import { KeptConversations } from './conversations.ts';
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
});

let profile: MemoryProfile;
let settings: SettingsStore;
let page: ThreadWorld['page'];

beforeEach(() => {
  ({ profile, settings, page } = new ThreadWorld(tab));
});

describe('a reload', () => {
  test('in mid-answer leaves what was said, which can be continued', async () => {
    let now = 1_000_000;
    // Every look at the clock is a second later, so that the answer is saved as it grows.
    vi.spyOn(Date, 'now').mockImplementation(() => (now += 1000));
    const thread = page();
    settings.change({ maxTokens: 60 });
    let copy: MemoryProfile | null = null;
    const off = thread.state.subscribe(() => {
      if (copy || last(thread).content.length < 20) return;
      copy = new MemoryProfile();
      for (const [id, header] of profile.headers) copy.headers.set(id, header);
      for (const [id, messages] of profile.messages) copy.messages.set(id, new Map(messages));
    });
    await thread.send('Hello');
    off();
    const again = page({ profile: copy! });
    await again.restore();
    expect(said(again)[0]).toBe('Hello');
    expect(last(again)).toMatchObject({ id: last(thread).id, state: 'stopped' });
    expect(last(again).content).not.toBe('');
    expect(last(thread).content.startsWith(last(again).content)).toBe(true);
  });

  test('brings a question without an answer with an empty one to try again', async () => {
    await new MemoryHistory(profile).add(conversation('old', {}, [message('q', null, { content: 'and?' })]));
    const thread = page();
    await thread.restore();
    expect(said(thread)).toEqual(['and?', '']);
    expect(last(thread).state).toBe('stopped');
    await thread.retry(last(thread).id);
    expect(said(thread)).toHaveLength(2);
    expect(last(thread).content).not.toBe('');
    expect((await new MemoryHistory(profile).list())[0]?.count).toBe(2);
  });

  test('brings the conversation that was open, not the newest, and a new chat when one was begun', async () => {
    const history = new MemoryHistory(profile);
    await history.add(conversation('a', { updatedAt: 5 }));
    await history.add(conversation('b', { updatedAt: 9 }));
    const thread = page();
    await thread.restore();
    expect(thread.state.get().id).toBe('b');
    await thread.open('a');
    const again = page();
    await again.restore();
    expect(again.state.get().id).toBe('a');
    again.newChat();
    const third = page();
    await third.restore();
    expect(third.state.get().messages).toEqual([]);
  });

  test('does not put an old conversation over a question that was asked before it came', async () => {
    await new MemoryHistory(profile).add(conversation('a'));
    const thread = page();
    const restored = thread.restore();
    const sent = thread.send('first');
    await restored;
    await sent;
    expect(said(thread)[0]).toBe('first');
  });
});

describe('what is kept', () => {
  test('a temporary chat never is', async () => {
    const thread = page();
    thread.newChat({ temporary: true });
    await thread.send('secret');
    thread.setOptions({ system: 'x' });
    await thread.retry(last(thread).id);
    expect(thread.state.get()).toMatchObject({ temporary: true, notKept: null });
    expect(profile.work).toEqual({ messages: 0, headers: 0, read: 0 });
    expect(profile.held.size).toBe(0);
    const again = page();
    await again.restore();
    expect(again.state.get().messages).toEqual([]);
  });

  test('a growing answer writes itself only, and looks at none of ten thousand messages before it', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) =>
      message(`m${i}`, i === 0 ? null : `m${i - 1}`, {
        role: i % 2 === 0 ? 'user' : 'assistant',
        createdAt: i,
      }),
    );
    await new MemoryHistory(profile).add(conversation('long', {}, many));
    let now = 1_000_000;
    vi.spyOn(Date, 'now').mockImplementation(() => (now += 1000));
    const stream = async function* () {
      for (let i = 0; i < 50; i++) {
        yield chunk('word ', i === 49);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const slow = { status: tab.shoal.status, chat: { completions: { create: async () => stream() } } };
    const thread = page({ shoal: slow as unknown as Shoal });
    await thread.restore();
    expect(thread.state.get().messages).toHaveLength(10_000);
    const [first] = thread.state.get().messages;
    const before = { ...profile.work };
    await thread.send('more');
    expect(thread.state.get().messages).toHaveLength(10_002);
    // The question once, the answer once a second of this clock at most, the header at both ends.
    expect(profile.work.messages - before.messages).toBeLessThanOrEqual(53);
    expect(profile.work.headers - before.headers).toBeLessThanOrEqual(3);
    expect(profile.work.read).toBe(0);
    // The messages before it are the same objects, so that a view draws none of them again.
    expect(thread.state.get().messages[0]).toBe(first);
    expect((await new MemoryHistory(profile).list())[0]?.count).toBe(10_002);
  });

  test('a store that fails does not stop the chat, says why, and gets everything when it works again', async () => {
    const thread = page();
    await thread.send('one');
    profile.broken = new ChatError('history', 'No space left.');
    await thread.send('two');
    expect(said(thread)).toHaveLength(4);
    expect(thread.state.get().notKept).toBe('No space left.');
    profile.broken = null;
    await thread.send('three');
    expect(thread.state.get().notKept).toBeNull();
    const again = page();
    await again.restore();
    expect(said(again)).toEqual(said(thread));
  });

  test('a store that was wiped gets the conversation back; one that somebody deleted stays deleted', async () => {
    const thread = page();
    await thread.send('one');
    profile.wipe();
    await thread.send('two');
    const again = page();
    await again.restore();
    expect(said(again)).toEqual(said(thread));
    // Deleted in another tab, of which this one does not hear.
    const { id } = thread.state.get();
    profile.headers.delete(id);
    profile.messages.delete(id);
    await thread.send('three');
    expect(profile.headers.size).toBe(0);
  });

  test('one that was left unsaved is still whole when it is opened again', async () => {
    await new MemoryHistory(profile).add(conversation('other'));
    const thread = page();
    await thread.send('one');
    const { id } = thread.state.get();
    profile.broken = new ChatError('history', 'No space left.');
    await thread.send('two');
    thread.newChat();
    await thread.open('other');
    expect(thread.state.get()).toMatchObject({ messages: [], notKept: 'No space left.' });
    await thread.open(id);
    expect(said(thread)).toHaveLength(4);
    profile.broken = null;
    // Room is made.
    await new MemoryHistory(profile).remove('other');
    await vi.waitFor(() => expect(thread.state.get().notKept).toBeNull());
    expect((await new MemoryHistory(profile).load(id))?.messages).toHaveLength(4);
  });

  test('an answer of a chat that is left is stopped and kept there, and one that is deleted does not come back', async () => {
    const thread = page();
    settings.change({ maxTokens: 60 });
    once(thread, streams, () => thread.newChat());
    await thread.send('left');
    expect(thread.state.get()).toMatchObject({ messages: [], busy: false });
    const [left] = await new MemoryHistory(profile).list();
    const kept = await new MemoryHistory(profile).load(left!.id);
    expect(kept?.messages.map(({ state }) => state).sort()).toEqual(['done', 'stopped']);

    const list = new KeptConversations({ history: new MemoryHistory(profile), thread });
    once(thread, streams, () => void list.remove(thread.state.get().id));
    await thread.send('deleted');
    await new Promise((resolve) => setImmediate(resolve));
    expect(thread.state.get().messages).toEqual([]);
    expect([...profile.headers.keys()]).toEqual([left!.id]);
  });
});

describe('two tabs of one profile', () => {
  test('show each other’s words in the conversation that both have open', async () => {
    const one = page();
    await one.send('one');
    const two = page();
    await two.restore();
    const streamed: string[] = [];
    two.state.subscribe(() => streamed.push(`${last(two).state} ${two.state.get().busy}`));
    await one.send('two');
    await vi.waitFor(() => expect(plainState(two)).toEqual(plainState(one)));
    expect(streamed).toContain('streaming false');
    await two.retry(last(two).id);
    await vi.waitFor(() => expect(one.branches(last(two).id)).toEqual(two.branches(last(two).id)));
    // A branch that another tab began is offered, not jumped to.
    expect(last(one).id).not.toBe(last(two).id);
    one.setOptions({ system: 'Be short.' });
    await vi.waitFor(() => expect(two.state.get().system).toBe('Be short.'));
  });

  test('lose nothing when both ask at once', async () => {
    const one = page();
    await one.send('start');
    const two = page();
    await two.restore();
    await Promise.all([one.send('mine'), two.send('yours')]);
    const kept = await new MemoryHistory(profile).load(one.state.get().id);
    expect(kept?.messages).toHaveLength(6);
    expect(kept?.messages.every(({ content }) => content !== '')).toBe(true);
    await vi.waitFor(() => expect(one.branches(two.state.get().messages[2]!.id)).toHaveLength(2));
  });

  test('hear of a new name, and of the end of everything', async () => {
    const one = page();
    await one.send('one');
    const two = page();
    await two.restore();
    const list = new KeptConversations({ history: new MemoryHistory(profile), thread: two });
    const { id } = one.state.get();
    await list.rename(id, 'Fish');
    expect([one.state.get().title, two.state.get().title]).toEqual(['Fish', 'Fish']);
    await one.send('two');
    expect((await new MemoryHistory(profile).list())[0]?.title).toBe('Fish');
    one.newChat({ temporary: true });
    await one.send('not part of it');
    profile.broken = new ChatError('history', 'No space left.');
    await two.send('three');
    profile.broken = null;
    await list.removeAll();
    expect(two.state.get()).toMatchObject({ messages: [], notKept: null });
    expect(one.state.get().messages).toHaveLength(2);
    expect(profile.headers.size).toBe(0);
  });

  test('hear of a deletion', async () => {
    const one = page();
    await one.send('one');
    const two = page();
    await two.restore();
    const list = new KeptConversations({ history: new MemoryHistory(profile), thread: two });
    await list.remove(one.state.get().id);
    for (const thread of [one, two]) expect(thread.state.get()).toMatchObject({ messages: [], title: '' });
    expect(profile.headers.size).toBe(0);
  });
});
