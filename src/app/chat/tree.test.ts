import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Tree } from './tree.ts';

const node = (id: string, parent: string | null, createdAt = Number(id.slice(1))) => ({
  id,
  parent,
  createdAt,
});

test('a question asked again, and an answer given again, are branches in the order they came', () => {
  const tree = new Tree([
    node('q1', null),
    node('a2', 'q1'),
    node('q3', 'a2'),
    node('a4', 'q3'),
    node('q5', 'a2'),
    node('a6', 'q5'),
    node('a7', 'q5'),
  ]);
  expect(tree.siblings('q5')).toEqual(['q3', 'q5']);
  expect(tree.siblings('a6')).toEqual(['a6', 'a7']);
  expect(tree.siblings('none')).toEqual([]);
  expect(tree.newest('q1')).toBe('a7');
  expect(tree.newest('q3')).toBe('a4');
  expect(tree.newest(null)).toBe('a7');
  expect(tree.path('a4').map(({ id }) => id)).toEqual(['q1', 'a2', 'q3', 'a4']);
  expect(tree.path(null)).toEqual([]);
  expect(tree.remove('q5').sort()).toEqual(['a6', 'a7', 'q5']);
  expect(tree.siblings('q3')).toEqual(['q3']);
  expect(tree.size).toBe(4);
});

test('a message that comes late takes its place by its age, and one that changes keeps it', () => {
  const tree = new Tree([node('q1', null), node('a5', 'q1')]);
  tree.put(node('a3', 'q1'));
  expect(tree.siblings('a5')).toEqual(['a3', 'a5']);
  tree.put({ ...node('a3', 'q1'), createdAt: 9 });
  expect(tree.siblings('a5')).toEqual(['a3', 'a5']);
});

test('in whatever order messages come, the tree is the same and none is lost', () => {
  const shape = fc.array(fc.nat(), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(shape, fc.infiniteStream(fc.nat()), (parents, random) => {
      const nodes = parents.map((n, i) => node(`m${i}`, i === 0 || n % 4 === 0 ? null : `m${n % i}`));
      const mixed = nodes
        .map((each) => ({ each, at: random.next().value as number }))
        .sort((a, b) => a.at - b.at)
        .map(({ each }) => each);
      const whole = new Tree(nodes);
      expect(new Tree(mixed).newest(null)).toBe(whole.newest(null));
      for (const { id, parent } of nodes) {
        expect(new Tree(mixed).siblings(id)).toEqual(whole.siblings(id));
        expect(whole.siblings(id)).toContain(id);
        expect(whole.path(id).at(-2)?.id ?? null).toBe(parent);
      }
    }),
    { numRuns: 60 },
  );
});

test('ten thousand messages in one line are no depth to fall into', () => {
  const tree = new Tree(
    Array.from({ length: 10_000 }, (_, i) => node(`m${i}`, i === 0 ? null : `m${i - 1}`)),
  );
  expect(tree.newest('m0')).toBe('m9999');
  expect(tree.path('m9999')).toHaveLength(10_000);
  expect(tree.remove('m0')).toHaveLength(10_000);
});
