import { expect, it } from 'vitest';
import { DeviceMemory, defaultMemory, freeMemory } from './memory.ts';

it('a floor is kept for whoever does not use it, and the rest is there for whoever comes first', async () => {
  const memory = new DeviceMemory('cpu', 1000, async () => 0);
  await memory.refresh();
  const first = memory.claim(300);
  const second = memory.claim(200);
  expect([memory.left, first.budget, second.budget]).toEqual([500, 800, 700]);
  first.note(600);
  expect([memory.left, first.budget, second.budget]).toEqual([200, 800, 400]);
  second.note(400);
  // Full: each may keep what it has.
  expect([memory.left, first.budget, second.budget]).toEqual([0, 600, 400]);
  first.release();
  expect([memory.left, second.budget]).toEqual([600, 1000]);
});

it('a default is half of what is free beside what is taken here, looked at anew for each model', async () => {
  let free = 6e9;
  const memory = new DeviceMemory('cpu', null, async () => free);
  await memory.refresh();
  expect(memory.total).toBe(3e9);
  memory.claim(1e9).note(1e9);
  free = 1e9;
  await memory.refresh();
  // What is taken, and half of what is left.
  expect([memory.total, memory.left]).toEqual([1.5e9, 0.5e9]);
  free = 1e12;
  await memory.refresh();
  expect(memory.total).toBe(4e9);
});

it('a GPU is lent nearly whole', async () => {
  const memory = new DeviceMemory('gpu', null, async () => 80e9);
  await memory.refresh();
  expect(memory.total).toBe(72e9);
  expect(defaultMemory('gpu', 0)).toBe(0);
});

it('what is free is known here', async () => {
  expect(await freeMemory()).toBeGreaterThan(0);
});
