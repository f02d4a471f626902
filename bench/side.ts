import type { Engine } from '../src/engine/index.ts';

/** Milliseconds per token of one prompt, and of the steps after it. */
export interface Measured {
  prefillMs: number;
  decodeMs: number;
}

/** One of the things compared: a model, loaded and ready. */
export interface Side {
  name: string;
  /** From an empty cache: a prompt of that many tokens, then `steps` single tokens. */
  round(promptTokens: number, steps: number): Promise<Measured>;
  close(): Promise<void>;
}

/** The same token ids for every side; which ones does not matter for speed. */
export function tokenAt(position: number, vocabulary: number): number {
  return (position * 7919 + 13) % vocabulary;
}

/** Our engine as its callers see it: the clock includes the way to the worker and back. */
export function engineSide(name: string, engine: Engine): Side {
  const tokens = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => tokenAt(from + i, engine.info.vocabulary));
  return {
    name,
    async round(promptTokens, steps) {
      const session = await engine.open();
      try {
        const start = performance.now();
        await engine.forward(session, { tokens: tokens(0, promptTokens) });
        const prompted = performance.now();
        for (let at = promptTokens; at < promptTokens + steps; at++)
          await engine.forward(session, { tokens: tokens(at, at + 1) });
        const end = performance.now();
        return { prefillMs: (prompted - start) / promptTokens, decodeMs: (end - prompted) / steps };
      } finally {
        await engine.close(session);
      }
    },
    close: () => engine.dispose(),
  };
}
