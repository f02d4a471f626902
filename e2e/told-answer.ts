import type { Page } from '@playwright/test';
import type { Provenance } from '../src/sdk/early.ts';

export interface Told {
  text: string;
  /** Characters that come at once; default 4, as many as a token has. */
  step?: number;
  shoal?: Partial<Provenance>;
  /** Tokens of the answer, when they are not to be as many as the pieces. */
  tokens?: number;
}

/**
 * Lets the page's Shoal give this text to the next questions, piece by piece, a frame each: what is tested then is how
 * the page shows an answer, whatever a model said.
 */
export async function tell(page: Page, told: Told): Promise<void> {
  await page.evaluate(({ text, step = 4, shoal, tokens }) => {
    const pieces: string[] = [];
    for (let at = 0; at < text.length; at += step) pieces.push(text.slice(at, at + step));
    const count = tokens ?? pieces.length;
    const provenance = {
      route: 'local' as const,
      reason: null,
      privacy: 'private' as const,
      hops: [],
      token_ids: [] as number[],
      timings: {
        first_token_ms: 120,
        tokens_per_second: 20,
        compute_ms: 50 * count,
        wire_ms: 0,
        compute_ms_per_token: 50,
        wire_ms_per_token: 0,
      },
      recoveries: 0,
      trace: [],
      ...shoal,
    };
    const head = { id: 'told', object: 'chat.completion.chunk' as const, created: 0, model: 'told' };
    async function* chunks() {
      for (const [i, content] of pieces.entries()) {
        // A frame, or less in a tab that draws none.
        await new Promise((resolve) => requestAnimationFrame(resolve));
        const last = i === pieces.length - 1;
        yield {
          ...head,
          choices: [
            { index: 0 as const, delta: { content }, finish_reason: last ? ('stop' as const) : null },
          ],
          shoal: { ...provenance, token_ids: [i], trace: last ? provenance.trace : [] },
          ...(last && {
            usage: {
              prompt_tokens: 31,
              completion_tokens: count,
              total_tokens: 31 + count,
              prompt_tokens_details: { cached_tokens: 0 },
            },
          }),
        };
      }
    }
    Object.assign(window.shoal.chat.completions, { create: async () => chunks() });
  }, told);
}
