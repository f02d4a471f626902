import { expect, it } from 'vitest';
import { Places } from './places.ts';

const enter = (places: Places, address: string, times: number, trusted = false) =>
  Array.from({ length: times }, () => places.enter(address, trusted)).filter((refusal) => refusal === null)
    .length;

it('one address has its limit, a trusted proxy only that of all', () => {
  const places = new Places(1000, 10);
  expect(enter(places, 'a', 50)).toBe(10);
  expect(places.enter('a', false)).toBe('connections-per-address');
  expect(enter(places, 'proxy', 2000, true)).toBe(1000 - 32 - 10);
  expect(places.enter('proxy', true)).toBe('connections');
});

it('addresses with few sockets still get in when the rest is full', () => {
  const places = new Places(1000, 512);
  expect(enter(places, 'a', 600) + enter(places, 'b', 600)).toBe(1000 - 32);
  expect(enter(places, 'c', 10)).toBe(4);
  expect(enter(places, 'd', 10)).toBe(4);
  for (let i = 0; i < 100; i++) places.enter(`e${i}`, false);
  expect(places.open).toBe(1000);
  expect(places.enter('late', false)).toBe('connections');
});

it('a place that is given back can be taken again, and only once', () => {
  const places = new Places(8, 2);
  expect(enter(places, 'a', 5)).toBe(2);
  places.leave('a');
  places.leave('nobody');
  expect(places.open).toBe(1);
  expect(enter(places, 'a', 5)).toBe(1);
  for (let i = 0; i < 9; i++) places.leave('a');
  expect(places.open).toBe(0);
});
