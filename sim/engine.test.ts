import { describe, expect, it } from 'vitest';
import { likeliest, Reference, VOCABULARY } from './arithmetic.ts';
import { ArithmeticEngine, EngineLedger } from './engine.ts';
import { Actor, Scheduler } from './scheduler.ts';

const LAYERS = 6;
const TOKENS = Array.from({ length: 20 }, (_, i) => (i * 7 + 3) % VOCABULARY);

function world() {
  const scheduler = new Scheduler(1);
  const ledger = new EngineLedger();
  const actor = new Actor('a');
  const engine = (start: number, end: number, ends: { embed?: boolean; head?: boolean } = {}) =>
    new ArithmeticEngine(
      scheduler,
      actor,
      { start, end, embed: ends.embed ?? false, head: ends.head ?? false },
      LAYERS,
      { layerMs: 1, runMs: 2 },
      ledger,
      { maxTokens: 64, kvBytesPerToken: 16 },
    );
  /** Runs the world until the work is done. */
  const run = async <T>(work: Promise<T>): Promise<T> => {
    let over = false;
    const end = () => {
      over = true;
    };
    work.then(end, end);
    await scheduler.run(() => over);
    return work;
  };
  return { scheduler, ledger, engine, run };
}

describe('the arithmetic engine', () => {
  it('gives in slices, in pieces and after a rollback what it gives whole', async () => {
    const { engine, run } = world();
    const reference = new Reference(LAYERS);
    const wanted = TOKENS.map((token) => reference.push(token)).at(-1)!;
    const slices = [engine(0, 2, { embed: true }), engine(2, 5), engine(5, 6), engine(6, 6, { head: true })];
    const text = async () => {
      const sessions: number[] = [];
      for (const slice of slices) sessions.push(await slice.open());
      const push = async (tokens: number[]) => {
        let hidden: Float32Array | null = null;
        for (const [i, slice] of slices.entries()) {
          const output = await slice.forward(sessions[i]!, hidden ? { hidden } : { tokens });
          if (output.logits) return output.logits;
          hidden = output.hidden;
        }
        throw new Error('no head');
      };
      await push(TOKENS.slice(0, 7));
      await push([9, 9, 9]);
      for (const [i, slice] of slices.entries()) await slice.truncate(sessions[i]!, 7);
      return push(TOKENS.slice(7));
    };
    expect(await run(text())).toEqual(wanted);
    expect(likeliest(wanted)).toBeLessThan(VOCABULARY);
  });

  it('refuses and writes down a row of another position or layer', async () => {
    const { engine, run, ledger } = world();
    const front = engine(0, 2, { embed: true });
    const back = engine(3, 6);
    const middle = engine(2, 3);
    const work = async () => {
      const { hidden } = await front.forward(await front.open(), { tokens: [1, 2, 3] });
      const session = await back.open();
      await expect(back.forward(session, { hidden: hidden! })).rejects.toThrow('layer 3 was given');
      const skipped = await middle.open();
      await expect(middle.forward(skipped, { hidden: hidden!.slice(8) })).rejects.toThrow('position 0');
      await expect(middle.forward(skipped, { hidden: new Float32Array(8).fill(Number.NaN) })).rejects.toThrow(
        'not a finite number',
      );
    };
    await run(work());
    expect(ledger.wrong).toHaveLength(3);
  });

  it('stops within one chunk and leaves the session as it was', async () => {
    const { scheduler, engine, run } = world();
    const whole = engine(0, LAYERS, { embed: true, head: true });
    const abort = new AbortController();
    const session = await run(whole.open());
    scheduler.after(50, new Actor('user'), 'stop', () => abort.abort());
    const started = scheduler.now;
    const tokens = Array.from({ length: 64 }, () => 1);
    await expect(run(whole.forward(session, { tokens }, { signal: abort.signal }))).rejects.toThrow(
      'stopped',
    );
    expect(scheduler.now - started).toBeLessThan(50 + 110);
    expect(whole.sessions.get(session)!.length).toBe(0);
  });
});
