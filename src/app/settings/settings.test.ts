import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEFAULTS, LIMITS, readSettings, SettingsStore } from './settings.ts';

function keepOf(text: string | null = null) {
  const values = new Map(text === null ? [] : [['shoal.settings', text]]);
  return {
    getItem: (name: string) => values.get(name) ?? null,
    setItem: (name: string, value: string) => void values.set(name, value),
    removeItem: (name: string) => void values.delete(name),
  };
}

test('whatever lies in the storage, the settings make sense', () => {
  for (const text of ['', 'null', '[]', '{', '"x"', '{"relays":[1],"share":7,"told":{}}']) {
    expect(readSettings(keepOf(text))).toEqual(DEFAULTS);
  }
  const odd = fc.record(
    Object.fromEntries([...Object.keys(DEFAULTS), 'other'].map((name) => [name, fc.anything()])),
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(odd, (given) => {
      const settings = readSettings(keepOf(JSON.stringify(given)));
      expect(Object.keys(settings)).toEqual(Object.keys(DEFAULTS));
      expect(settings.temperature).toBeGreaterThanOrEqual(LIMITS.temperature[0]);
      expect(settings.maxTokens).toBeLessThanOrEqual(LIMITS.maxTokens[1]);
      expect(['auto', 'local', 'network']).toContain(settings.route);
      expect(settings.relays.length).toBeLessThanOrEqual(8);
    }),
  );
});

test('a change is kept, leaves what another tab changed, and is told', () => {
  const keep = keepOf();
  const store = new SettingsStore(keep);
  const told: string[] = [];
  const end = store.subscribe(({ theme, temperature }) => told.push(`${theme} ${temperature}`));
  keep.setItem('shoal.settings', JSON.stringify({ temperature: 1.5 }));
  store.change({ theme: 'dark' });
  expect(store.get()).toMatchObject({ theme: 'dark', temperature: 1.5 });
  expect(told).toEqual(['dark 1.5']);
  expect(readSettings(keep)).toEqual(store.get());
  end();
  store.changeShare({ memoryMb: 1024 });
  expect(readSettings(keep).share).toEqual({ ...DEFAULTS.share, memoryMb: 1024 });
  expect(told).toHaveLength(1);
});

test('what takes effect after a reload can be compared with the beginning', () => {
  const store = new SettingsStore(keepOf('{"relays":["https://relay.example/"]}'));
  store.change({ relays: [] });
  expect(store.atStart.relays).toEqual(['https://relay.example/']);
});

test('a full storage keeps the settings for as long as the page lives', () => {
  const store = new SettingsStore({
    ...keepOf(),
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError');
    },
  });
  store.change({ textSize: 'large' });
  expect(store.get().textSize).toBe('large');
});
