import { describe, expect, test } from 'vitest';
import { areModelFiles, MOST_BYTES, readTextFiles } from './text-files.ts';

const file = (name: string, content: string | Uint8Array<ArrayBuffer>) => new File([content], name);

describe('text files become attachments', () => {
  test('text is taken as it is, in UTF-8 and in UTF-16 with its mark', async () => {
    const wide = new Uint8Array([0xff, 0xfe, 0x68, 0, 0xe9, 0]);
    const taken = await readTextFiles([file('a.md', '# Hé\n\n日本'), file('b.txt', wide)], 8);
    expect(taken.refused).toEqual([]);
    expect(taken.attachments).toEqual([
      { name: 'a.md', text: '# Hé\n\n日本' },
      { name: 'b.txt', text: 'hé' },
    ]);
  });

  test('a binary file is refused, whatever it is called', async () => {
    const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const zeros = new TextEncoder().encode('text\0more');
    const taken = await readTextFiles([file('notes.txt', png), file('b.txt', zeros)], 8);
    expect(taken.attachments).toEqual([]);
    expect(taken.refused.map(({ why }) => why)).toEqual(['binary', 'binary']);
  });

  test('a file above the cap is refused without being read', async () => {
    const big = file('big.txt', 'x'.repeat(MOST_BYTES + 1));
    big.arrayBuffer = () => Promise.reject(new Error('It was read.'));
    expect((await readTextFiles([big], 8)).refused).toEqual([{ name: 'big.txt', why: 'too-large' }]);
    const exact = await readTextFiles([file('most.txt', 'x'.repeat(MOST_BYTES))], 8);
    expect(exact.attachments).toHaveLength(1);
  });

  test('more files than there is room for are named, and empty and unreadable ones too', async () => {
    const lost = file('lost.txt', 'text');
    lost.arrayBuffer = () => Promise.reject(new DOMException('gone', 'NotReadableError'));
    const files = [file('blank', ' \n'), lost, file('one', '1'), file('two', '2')];
    const taken = await readTextFiles(files, 1);
    expect(taken.attachments.map(({ name }) => name)).toEqual(['one']);
    expect(taken.refused).toEqual([
      { name: 'blank', why: 'empty' },
      { name: 'lost.txt', why: 'unreadable' },
      { name: 'two', why: 'too-many' },
    ]);
  });

  test('model files are told from texts', () => {
    expect(areModelFiles([{ name: 'a.GGUF' }])).toBe(true);
    expect(areModelFiles([{ name: 'config.json' }, { name: 'model.safetensors' }])).toBe(true);
    expect(areModelFiles([{ name: 'gguf.txt' }, { name: 'config.json' }])).toBe(false);
  });
});
