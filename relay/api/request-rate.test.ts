import { describe, expect, it } from 'vitest';
import { RequestRate } from './request-rate.ts';

describe('RequestRate', () => {
  it('lets a minute of requests through at once, then one whenever room has come back', () => {
    let now = 0;
    const rate = new RequestRate(() => now);
    for (let i = 0; i < 6; i++)
      expect(rate.take('a', 6)).toMatchObject({ allowed: true, left: 5 - i, limit: 6 });
    const refused = rate.take('a', 6);
    expect(refused).toMatchObject({ allowed: false, left: 0, nextIn: 10, fullIn: 60 });
    // Being refused costs nothing.
    now = 9_999;
    expect(rate.take('a', 6).allowed).toBe(false);
    now = 10_000;
    expect(rate.take('a', 6)).toMatchObject({ allowed: true, left: 0 });
    expect(rate.take('a', 6).allowed).toBe(false);
    now = 200_000;
    expect(rate.take('a', 6)).toMatchObject({ allowed: true, left: 5 });
  });

  it('counts clients apart', () => {
    const rate = new RequestRate(() => 0);
    expect(rate.take('a', 1).allowed).toBe(true);
    expect(rate.take('a', 1).allowed).toBe(false);
    expect(rate.take('b', 1).allowed).toBe(true);
  });

  it('remembers no more clients than it is told, the latest ones first', () => {
    const rate = new RequestRate(() => 0, 100);
    for (let i = 0; i < 10_000; i++) expect(rate.take(`client ${i}`, 1).allowed).toBe(true);
    expect(rate.take('client 9999', 1).allowed).toBe(false);
    expect(rate.take('client 0', 1).allowed).toBe(true);
  });
});
