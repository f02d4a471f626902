import { type Html, html } from './html.ts';

/** More bars than a wide screen has room for say nothing; no model today has more than 130 layers. */
const MOST_BARS = 512;

/** One bar per layer: red for nobody, amber for one host, green for two and more. The words say the same. */
export function coverageBar(coverage: readonly number[]): Html {
  const bars = coverage.slice(0, MOST_BARS).map((count) => html`<i class="c${Math.min(count, 2)}"></i>`);
  return html`<div class="bar" role="img" aria-label="${coverageWords(coverage)}">${bars}</div>`;
}

/** `Layers 0 to 1: 1 host. Layers 2 to 29: 3 hosts.` */
export function coverageWords(coverage: readonly number[]): string {
  const runs: { start: number; end: number; count: number }[] = [];
  for (const [layer, count] of coverage.entries()) {
    const last = runs.at(-1);
    if (last?.count === count) last.end = layer;
    else runs.push({ start: layer, end: layer, count });
  }
  return runs
    .map(({ start, end, count }) => {
      const layers = start === end ? `Layer ${start}` : `Layers ${start} to ${end}`;
      return `${layers}: ${count === 0 ? 'nobody' : `${count} ${count === 1 ? 'host' : 'hosts'}`}.`;
    })
    .join(' ');
}
