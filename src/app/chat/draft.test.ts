import { describe, expect, test } from 'vitest';
import type { Keep } from '../keep.ts';
import { Draft } from './draft.ts';

function memory(most = Number.POSITIVE_INFINITY): Keep & { values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    getItem: (name) => values.get(name) ?? null,
    setItem: (name, value) => {
      if (value.length > most) throw new DOMException('full', 'QuotaExceededError');
      values.set(name, value);
    },
    removeItem: (name) => void values.delete(name),
  };
}

describe('what is written is not lost', () => {
  test('text, attachments and an edit survive a reload', async () => {
    const keep = memory();
    const draft = new Draft(keep);
    draft.keepText('half a thought');
    draft.keepEdit({ message: 'm1', text: 'changed' });
    await draft.addFiles([new File(['content'], 'notes.txt')]);
    draft.add([{ name: 'paste', text: 'long' }], true);

    const again = new Draft(keep);
    expect(again.keptText()).toBe('half a thought');
    expect(again.keptEdit()).toEqual({ message: 'm1', text: 'changed' });
    expect(again.get().attachments).toMatchObject([
      { name: 'notes.txt', text: 'content', pasted: false },
      { name: 'paste', text: 'long', pasted: true },
    ]);
    expect(again.take()).toEqual([
      { name: 'notes.txt', text: 'content' },
      { name: 'paste', text: 'long' },
    ]);
    expect(new Draft(keep).get().attachments).toEqual([]);
  });

  test('a full small storage costs the reload only, and says so', () => {
    const keep = memory(50);
    const draft = new Draft(keep);
    draft.keepText('x'.repeat(20));
    draft.keepText('x'.repeat(60));
    expect(draft.keptText()).toBe('');
    draft.add([{ name: 'big', text: 'y'.repeat(100) }], false);
    expect(draft.get()).toMatchObject({ fleeting: true, attachments: [{ name: 'big' }] });
  });

  test('a question takes eight files, and the others are named', async () => {
    const draft = new Draft(memory());
    const files = Array.from({ length: 9 }, (_, i) => new File([`${i}`], `${i}.txt`));
    await draft.addFiles(files);
    expect(draft.get().attachments).toHaveLength(8);
    expect(draft.get().refused).toEqual([{ name: '8.txt', why: 'too-many' }]);
    draft.add([{ name: 'paste', text: 'long' }], true);
    expect(draft.get().refused).toHaveLength(2);
    draft.dismiss();
    expect(draft.get().refused).toEqual([]);
  });

  test('garbage in the storage is an empty draft', () => {
    for (const value of ['{', '{}', '[1,null,{"name":1,"text":"a"}]', '"x"']) {
      const keep = memory();
      for (const name of ['shoal.draft.attachments', 'shoal.draft.edit']) keep.values.set(name, value);
      const draft = new Draft(keep);
      expect(draft.get().attachments).toEqual([]);
      expect(draft.keptEdit()).toBeNull();
    }
  });
});
