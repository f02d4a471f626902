import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemorySource } from '../model/index.ts';
import { Downloads } from './downloads.ts';

const signal = new AbortController().signal;
/** A fetch that ends when the test says so. */
function slow() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { ended, end: () => end() };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a whole model', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('stands back for what the network route does not need, until it is called off', async () => {
    const downloads = new Downloads();
    expect(downloads.mayFetch('rest')).toBe(true);
    const goOn = downloads.standBack('own');
    expect(['tokenizer', 'own', 'rest'].map((wave) => downloads.mayFetch(wave as 'own'))).toEqual([
      true,
      true,
      false,
    ]);
    let turn = 'waits';
    void downloads.turn('rest', signal).then(() => {
      turn = 'came';
    });
    await settled();
    expect(turn).toBe('waits');
    goOn();
    goOn();
    await settled();
    expect(turn).toBe('came');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('fetches what any of two answers needs', () => {
    const downloads = new Downloads();
    const light = downloads.standBack('tokenizer');
    expect(downloads.mayFetch('own')).toBe(false);
    const own = downloads.standBack('own');
    expect(downloads.mayFetch('own')).toBe(true);
    own();
    expect(downloads.mayFetch('own')).toBe(false);
    light();
    expect(downloads.mayFetch('rest')).toBe(true);
  });

  it('does not wait for ever for a network that is silent', async () => {
    const downloads = new Downloads();
    downloads.standBack('own');
    // As long as what the network needs itself is still coming, nobody waits.
    vi.advanceTimersByTime(60_000);
    expect(downloads.mayFetch('rest')).toBe(false);
    const turn = downloads.turn('rest', signal);
    vi.advanceTimersByTime(20_000);
    await turn;
  });

  it('that is cancelled while it stands back ends at once', async () => {
    const downloads = new Downloads();
    downloads.standBack('own');
    const control = new AbortController();
    const turn = downloads.turn('rest', control.signal);
    control.abort();
    await expect(turn).rejects.toMatchObject({ code: 'aborted' });
  });

  it('is read in pieces, each of which waits for its turn', async () => {
    const bytes = Uint8Array.from({ length: 5 * 2 ** 20 }, (_, i) => i % 251);
    const source = new MemorySource('a', bytes);
    const downloads = new Downloads();
    let goOn = () => {};
    const read = source.read.bind(source);
    let reads = 0;
    source.read = (...given) => {
      if (++reads === 2) goOn = downloads.standBack('own');
      return read(...given);
    };
    const whole = downloads.patient(source, 'rest', signal).read(7, bytes.length - 7);
    await settled();
    expect(reads).toBe(2);
    goOn();
    // Compared as buffers: five million numbers one by one take the test minutes.
    expect(Buffer.compare(await whole, bytes.subarray(7))).toBe(0);
    expect(reads).toBe(3);
  });
});

describe('parts and the whole of one model', () => {
  it('a part waits for the wave that holds it, and for no more', async () => {
    const downloads = new Downloads();
    const order: string[] = [];
    const own = slow();
    const rest = slow();
    const whole = downloads.whole('cid', signal, async (arrived) => {
      arrived('tokenizer');
      await own.ended;
      order.push('own parts');
      arrived('own');
      await rest.ended;
      order.push('the rest');
    });
    const part = (needs: 'tokenizer' | 'own', name: string) =>
      downloads.part('cid', needs, signal, async () => order.push(name));
    const waits = part('own', 'private');
    await part('tokenizer', 'light');
    await downloads.part('other', 'own', signal, async () => order.push('another model'));
    own.end();
    await waits;
    rest.end();
    await whole;
    await part('own', 'later');
    expect(order).toEqual(['light', 'another model', 'own parts', 'private', 'the rest', 'later']);
  });

  it('the whole waits for parts under way, and a part for nothing when the whole fails', async () => {
    const downloads = new Downloads();
    const order: string[] = [];
    const first = slow();
    const part = downloads.part('cid', 'own', signal, async () => {
      await first.ended;
      order.push('part');
      throw new Error('the part failed');
    });
    const whole = downloads.whole('cid', signal, async () => {
      order.push('whole');
      throw new Error('the whole failed');
    });
    await settled();
    expect(order).toEqual([]);
    first.end();
    await expect(part).rejects.toThrow('the part failed');
    const next = settled().then(() => downloads.part('cid', 'own', signal, async () => order.push('again')));
    await expect(whole).rejects.toThrow('the whole failed');
    await next;
    expect(order).toEqual(['part', 'whole', 'again']);
  });
});
