import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LANGUAGES, languageFor } from './index.ts';

const APP = new URL('..', import.meta.url).pathname;

test('a language is chosen by the setting, else by the browser, else it is English', () => {
  expect(languageFor('en', ['de']).code).toBe('en');
  expect(languageFor('system', ['de-CH', 'en-GB']).code).toBe('en');
  expect(languageFor('system', []).code).toBe('en');
  expect(languageFor('tlh', ['tlh']).code).toBe('en');
});

test('every language has all the words there are', async () => {
  const shape = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shape(inner)]))
      : typeof value;
  const english = shape(await LANGUAGES[0]!.load());
  for (const language of LANGUAGES) expect(shape(await language.load())).toEqual(english);
});

test('no word stands in a component: all are in the words of its folder', () => {
  const found: string[] = [];
  for (const name of readdirSync(APP, { recursive: true }).map(String)) {
    if (!name.endsWith('.tsx')) continue;
    const source = readFileSync(join(APP, name), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    // Text between tags (and not a type with parameters), and the attributes that are read or heard.
    for (const [, text] of source.matchAll(
      /<\/?[A-Za-z][^<>{}]*>\s*(?![\s=])([^<>{}\n][^<>{}\n]*[A-Za-z]{2}[^<>{}\n]*)\s*</g,
    )) {
      found.push(`${name}: ${text}`);
    }
    for (const [, text] of source.matchAll(/(?:aria-label|placeholder|title|alt)="([^"]+)"/g)) {
      found.push(`${name}: ${text}`);
    }
  }
  expect(found).toEqual([]);
});
