import type { LayerRange } from '../wire/index.ts';

/** `layer 4`, `layers 4 to 9` for `[4, 10)`: for people the last one is named. A range of none is what the head is. */
export function layersInWords({ start, end }: LayerRange): string {
  if (start === end) return 'the head';
  return end - start === 1 ? `layer ${start}` : `layers ${start} to ${end - 1}`;
}
