import { describe, expect, it } from 'vitest';
import { ApiError } from './errors.ts';
import { MAX_DEPTH, MAX_ENTRIES, parseJson } from './json.ts';

const bytes = (text: string) => Buffer.from(text);
const refused = (text: string | Buffer) => {
  try {
    parseJson(typeof text === 'string' ? bytes(text) : text);
  } catch (error) {
    expect(error).toBeInstanceOf(ApiError);
    return (error as ApiError).message;
  }
  return null;
};

describe('parseJson', () => {
  it('reads what is JSON, brackets and commas in strings included', () => {
    const value = { a: ['[[[[,,,,', '\\"[', 'é😀'], b: { c: null, d: -1.5e3 } };
    expect(parseJson(bytes(JSON.stringify(value)))).toEqual(value);
    expect(parseJson(bytes(`"${','.repeat(200_000)}${'['.repeat(1_000)}"`))).toHaveLength(201_000);
  });

  it('refuses depth before it parses: 4 MB of brackets', () => {
    expect(refused(Buffer.alloc(4 << 20, '['))).toContain('deep');
    expect(refused(Buffer.alloc(4 << 20, '{"a":'))).toContain('deep');
    expect(parseJson(bytes('['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH)))).toBeDefined();
    expect(refused('['.repeat(MAX_DEPTH + 1) + ']'.repeat(MAX_DEPTH + 1))).toContain('deep');
  });

  it('refuses more entries than any request has', () => {
    const list = (entries: number) => `[${'0,'.repeat(entries - 1)}0]`;
    expect(parseJson(bytes(list(MAX_ENTRIES)))).toHaveLength(MAX_ENTRIES);
    expect(refused(list(MAX_ENTRIES + 1))).toContain('entries');
    const inner = list(5_000);
    expect(refused(`[${Array(30).fill(inner).join(',')}]`)).toContain('entries');
    expect(refused(`[${'[],'.repeat(1_000_000)}[]]`)).toContain('entries');
  });

  it('refuses what is no UTF-8 and no JSON, and does not quote it', () => {
    expect(refused(Buffer.from([0x22, 0xff, 0x22]))).toContain('UTF-8');
    // Half a surrogate pair, encoded.
    expect(refused(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toContain('UTF-8');
    for (const text of [
      '',
      ' ',
      'NaN',
      '[NaN]',
      '{"a":Infinity}',
      '{a:1}',
      '[1,]',
      '"secret',
      'secret',
      '[]]',
    ]) {
      expect(refused(text), text).toContain('JSON');
      expect(refused(text)).not.toContain('secret');
    }
  });

  it('makes no prototype out of __proto__', () => {
    const value = parseJson(bytes('{"__proto__":{"model":"x"},"__proto__":{"y":1}}')) as { model?: string };
    expect(value.model).toBeUndefined();
    expect(Object.keys(value)).toEqual(['__proto__']);
  });
});
