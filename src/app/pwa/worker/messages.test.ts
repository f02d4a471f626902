import { expect, it } from 'vitest';
import { readMessage } from './messages.ts';

it('a worker takes the messages of its pages and nothing else', () => {
  expect(readMessage({ kind: 'take-over', more: 1 })).toEqual({ kind: 'take-over' });
  expect(readMessage({ kind: 'keep', paths: ['/ort/1/a.wasm'] })).toEqual({
    kind: 'keep',
    paths: ['/ort/1/a.wasm'],
  });
  expect(readMessage({ kind: 'notify', title: 'Done', text: 'x' })).toEqual({
    kind: 'notify',
    title: 'Done',
    text: 'x',
  });
  const bad = [
    null,
    'take-over',
    {},
    { kind: 'other' },
    { kind: 'keep' },
    { kind: 'keep', paths: [1] },
    { kind: 'keep', paths: Array(9).fill('/ort/x') },
    { kind: 'notify', title: 1, text: 'x' },
  ];
  for (const data of bad) expect(readMessage(data), JSON.stringify(data)).toBe(null);
});
