import { beforeEach, describe, expect, test } from 'vitest';
import { conversation, message } from '../../chat/testing/conversations.ts';
import { MemoryHistory } from '../../chat/testing/memory-history.ts';
import { ChatError } from '../../chat/web.ts';
import { Cell } from '../../sdk/early.ts';
import { KeptConversations } from './conversations.ts';
import type { ListState } from './types.ts';

let history: MemoryHistory;
let list: KeptConversations;
/** What the page shows; the thread itself is tested in thread.test.ts. */
const onPage = { state: new Cell({ id: 'page' }), snapshot: () => conversation('page') };

beforeEach(() => {
  history = new MemoryHistory();
  list = new KeptConversations({ history, thread: onPage });
});

const ids = () => list.state.get().items.map(({ id }) => id);

/** The state, once it is as wanted. */
function when(wanted: (state: ListState) => boolean): Promise<ListState> {
  return new Promise((resolve) => {
    const look = () => wanted(list.state.get()) && resolve(list.state.get());
    list.state.subscribe(look);
    look();
  });
}

describe('the list', () => {
  test('has pinned conversations first, then the newest, and hears of every change', async () => {
    const other = new MemoryHistory(history.profile);
    for (const [i, id] of ['a', 'b', 'c'].entries()) await other.add(conversation(id, { updatedAt: i }));
    expect(ids()).toEqual(['c', 'b', 'a']);
    await list.pin('a', true);
    expect(ids()).toEqual(['a', 'c', 'b']);
    expect(list.state.get().items[0]).toMatchObject({ title: 'about a', pinned: true, messages: 2 });
    await other.write('b', { header: { updatedAt: 9 } });
    expect(ids()).toEqual(['a', 'b', 'c']);
    await other.remove('b');
    expect(ids()).toEqual(['a', 'c']);
    await list.removeAll();
    expect(list.state.get()).toMatchObject({ items: [], notice: 'Deleted 2 conversations.' });
  });

  test('begins with what is kept already', async () => {
    await history.add(conversation('a'));
    list = new KeptConversations({ history, thread: onPage });
    expect((await when(({ items }) => items.length > 0)).items[0]?.id).toBe('a');
  });

  test('keeps a name that was given by hand, short and not empty', async () => {
    await history.add(conversation('a'));
    await list.rename('a', `  Fish\n ${'x'.repeat(100)} `);
    expect((await history.list())[0]).toMatchObject({ title: `Fish ${'x'.repeat(55)}…`, renamed: true });
    await list.rename('a', ' ');
    expect((await history.list())[0]?.title).toContain('Fish');
  });

  test('says what could not be done, and why', async () => {
    await list.rename('gone', 'x');
    expect(list.state.get().notice).toContain('deleted in another tab');
    list.dismiss();
    expect(list.state.get().notice).toBeNull();
    await history.add(conversation('a'));
    history.profile.broken = new ChatError('history', 'No storage here.');
    await list.remove('a');
    expect(list.state.get().notice).toBe('No storage here.');
    await expect(list.exportMarkdown('a')).rejects.toThrow('No storage here.');
  });
});

describe('a search', () => {
  test('gives way to a newer one, and ends', async () => {
    await history.add(conversation('a', { title: 'herring' }));
    await history.add(conversation('b', { title: 'x' }, [message('m', null, { content: 'a cod' })]));
    list.search('herring');
    expect(list.state.get().search).toMatchObject({ text: 'herring', hits: [{ id: 'a' }], running: true });
    list.search('cod');
    const { search } = await when((state) => state.search?.running === false);
    expect(search).toEqual({
      text: 'cod',
      hits: [{ id: 'b', excerpt: 'a cod', from: 2, to: 5 }],
      running: false,
    });
    list.search(' ');
    expect(list.state.get().search).toBeNull();
  });
});

describe('files', () => {
  const file = async (blob: Blob, name = 'chats.json') => new File([await blob.arrayBuffer()], name);

  test('take conversations from one browser to another, and leave what is there', async () => {
    await history.add(conversation('a'));
    await history.add(conversation('b'));
    const all = await file(await list.exportJson());
    await list.remove('b');
    await list.rename('a', 'Mine');
    await list.import([all]);
    expect(list.state.get().notice).toBe(
      'Imported 1 conversation. One was here already and stayed as before.',
    );
    expect((await history.load('a'))?.title).toBe('Mine');
    expect(await history.load('b')).toEqual(conversation('b'));
    await list.import([await file(await list.exportJson('a')), all]);
    expect(list.state.get().notice).toBe(
      'Imported 0 conversations. 3 were here already and stayed as before.',
    );
  });

  test('export the one on the page as it is there, kept or not', async () => {
    expect(await (await list.exportMarkdown('page')).text()).toContain('# about page');
    expect(JSON.parse(await (await list.exportJson('page')).text()).conversations).toHaveLength(1);
    await expect(list.exportJson('gone')).rejects.toMatchObject({ code: 'history' });
  });

  test('that are no export are refused with what was expected', async () => {
    await list.import([new File(['hello'], 'a.txt')]);
    expect(list.state.get().notice).toMatch(/“a.txt” holds no conversations. Choose a JSON file/);
    const bad = JSON.stringify({ format: 'shoal-conversations/1', conversations: [{}] });
    await list.import([new File([bad], 'b.json')]);
    expect(list.state.get().notice).toMatch(/^Nothing was imported. 1 conversation could not be read: /);
  });

  test('that do not fit are imported as far as there is room, which is said', async () => {
    const many = JSON.stringify({
      format: 'shoal-conversations/1',
      conversations: Array.from({ length: 250 }, (_, i) => conversation(`c${i}`)),
    });
    const addAll = history.addAll.bind(history);
    history.addAll = async (some) => {
      if (some.some(({ id }) => id === 'c220')) throw new ChatError('history', 'No space left.');
      return addAll(some);
    };
    await list.import([new File([many], 'c.json')]);
    expect(list.state.get().notice).toBe('Imported 200 conversations, then stopped. No space left.');
    expect(await history.list()).toHaveLength(200);
    expect(ids()).toHaveLength(200);
  });

  test('are kept a hundred at a time, and drawn once', async () => {
    const many = JSON.stringify({
      format: 'shoal-conversations/1',
      conversations: Array.from({ length: 1000 }, (_, i) => conversation(`c${i}`)),
    });
    const kept: number[] = [];
    const addAll = history.addAll.bind(history);
    history.addAll = async (some) => {
      kept.push(some.length);
      return addAll(some);
    };
    const shown = new Set<unknown>();
    list.state.subscribe(() => shown.add(list.state.get().items));
    await list.import([new File([many], 'c.json')]);
    expect(kept).toEqual(Array.from({ length: 10 }, () => 100));
    expect([...shown].map((items) => (items as unknown[]).length)).toEqual([0, 1000]);
    expect(list.state.get().notice).toBe('Imported 1000 conversations.');
  });
});
