import { describe, expect, it } from 'vitest';
import { keysToAsk, keysToPublish, modelKey, sliceKey } from './keys.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('record keys', () => {
  it('are IntelNav’s, digest for digest', () => {
    expect(hex(sliceKey('m1', { start: 0, end: 16 }).multihash.digest)).toBe(
      'd4640ca8b82a332b64a316bbe1461081ffb3deb836974fbcb4cb01ba069963c3',
    );
    expect(hex(modelKey('m1').multihash.digest)).toBe(
      'fc29c54033c78495ea353e0a4bfd6a1d9da2e883a4eef2f8466b75714d67fd0c',
    );
  });

  it('are CIDv1 of raw bytes with the honest blake3 multihash', () => {
    const key = modelKey('m1');
    expect(key.version).toBe(1);
    expect(key.code).toBe(0x55);
    expect(hex(key.multihash.bytes.subarray(0, 2))).toBe('1e20');
  });

  it('let a planner find a host whose slice is smaller, larger or overlapping', () => {
    const layers = 30;
    const published = (start: number, end: number) =>
      keysToPublish({ cid: 'm', layers, start, end }).map(String);
    const asked = keysToAsk({ cid: 'm', layers }, { start: 8, end: 20 }).map(String);
    const meets = (keys: string[]) => keys.some((key) => asked.includes(key));
    expect(meets(published(8, 20)), 'exact').toBe(true);
    expect(meets(published(12, 16)), 'smaller').toBe(true);
    expect(meets(published(0, 30)), 'larger').toBe(true);
    expect(meets(published(14, 30)), 'overlapping').toBe(true);
    expect(meets(published(9, 11)), 'less than a cell').toBe(true);
    expect(meets(published(5, 10)), 'only by the part of a cell').toBe(true);
    expect(meets(published(20, 30)), 'beside it').toBe(false);
  });

  it('come once each, the exact range that is a cell included', () => {
    const keys = keysToPublish({ cid: 'm', layers: 8, start: 3, end: 4 }).map(String);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
