import { Late, whenIdle } from './late.ts';

/** Markdown's parser. */
export const parsed = new Late(async () => (await import('./Parsed.tsx')).Parsed);
/** KaTeX: only for those who meet a formula. */
export const formulas = new Late(async () => {
  const katex = await import('./katex.ts');
  await katex.fontsReady();
  return katex;
});
// The first answer shall not wait for its parser.
if (typeof document !== 'undefined') whenIdle(parsed.want, 10_000);
