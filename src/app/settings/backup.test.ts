import { expect, test } from 'vitest';
import { Cell } from '../../sdk/early.ts';
import type { Conversations, ListState } from '../chat/types.ts';
import { makeBackup, takeBackup } from './backup.ts';
import { SettingsStore } from './settings.ts';

const EXPORTED = '{"format":"shoal-conversations/1","conversations":[{"title":"Fish “in” shoals"}]}';

/** The two ends that a backup touches; what is imported is recorded as text. */
function stores() {
  const imported: string[] = [];
  const values = new Map<string, string>();
  const settings = new SettingsStore({
    getItem: (name) => values.get(name) ?? null,
    setItem: (name, value) => void values.set(name, value),
    removeItem: (name) => void values.delete(name),
  });
  const conversations: Conversations = {
    state: new Cell<ListState>({ items: [], search: null, notice: null }),
    search: () => {},
    rename: async () => {},
    pin: async () => {},
    remove: async () => {},
    removeAll: async () => {},
    exportJson: async () => new Blob([EXPORTED]),
    exportMarkdown: async () => new Blob(),
    import: async (files) => {
      for (const file of files) imported.push(await file.text());
    },
    dismiss: () => {},
  };
  return { settings, conversations, imported };
}

test('what was exported comes back whole in another browser', async () => {
  const one = stores();
  one.settings.change({ theme: 'dark', temperature: 0.7, relays: ['https://relay.example/'] });
  const file = new File([await makeBackup(one)], 'shoal-backup.json');
  const other = stores();
  expect(await takeBackup(file, other)).toBe(true);
  expect(other.settings.get()).toEqual(one.settings.get());
  expect(other.imported.map((text) => JSON.parse(text))).toEqual([JSON.parse(EXPORTED)]);
});

test('exported conversations alone are taken as well, and touch no setting', async () => {
  const { imported, ...doors } = stores();
  const before = doors.settings.get();
  expect(await takeBackup(new File([EXPORTED], 'c.json'), doors)).toBe(false);
  expect(imported).toEqual([EXPORTED]);
  expect(doors.settings.get()).toEqual(before);
});

test('garbage is refused by what is wrong with it, and changes nothing', async () => {
  const { imported, ...doors } = stores();
  const before = doors.settings.get();
  const bad: [string, string][] = [
    ['not json', 'no-json'],
    ['', 'no-json'],
    ['[]', 'no-backup'],
    ['{"format":"shoal-backup/1"}', 'no-backup'],
    ['{"format":"another/1","settings":{"theme":"dark"}}', 'no-backup'],
  ];
  for (const [text, code] of bad) {
    await expect(takeBackup(new File([text], 'x.json'), doors)).rejects.toMatchObject({ code });
  }
  const huge = new File(['{}'], 'huge.json');
  Object.defineProperty(huge, 'size', { value: 2 ** 30 });
  await expect(takeBackup(huge, doors)).rejects.toMatchObject({ code: 'too-large' });
  expect(imported).toEqual([]);
  expect(doors.settings.get()).toEqual(before);
});

test('settings of a hostile file are taken only as far as they make sense', async () => {
  const { imported, ...doors } = stores();
  const settings = { theme: '<script>', temperature: 1e9, maxTokens: 64, route: 'everywhere', other: 1 };
  const file = new File([JSON.stringify({ format: 'shoal-backup/1', settings })], 'x.json');
  await takeBackup(file, doors);
  expect(doors.settings.get()).toMatchObject({
    theme: 'system',
    temperature: 0.3,
    maxTokens: 64,
    route: 'auto',
  });
  expect(Reflect.get(doors.settings.get(), 'other')).toBeUndefined();
  expect(imported).toEqual([]);
});
