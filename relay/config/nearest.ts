/** Longer words are nobody's slip of the finger. Characters. */
const LONGEST = 64;

/**
 * The known word that somebody may have meant, by edit distance; capitals, dots, dashes and underscores do not count.
 * `most`: changes that still count as a slip; by default a third of the word's letters, 3 at most.
 */
export function nearest(word: string, known: Iterable<string>, most?: number): string | undefined {
  const given = plain(word);
  if (given.length === 0 || word.length > LONGEST) return;
  const limit = most ?? Math.max(1, Math.min(3, Math.floor(given.length / 3)));
  let best: string | undefined;
  let least = limit + 1;
  for (const candidate of known) {
    const away = distance(given, plain(candidate));
    if (away < least) [least, best] = [away, candidate];
  }
  return best;
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[-_.]/g, '');
}

/** Letters to add, remove, replace or swap with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, before[j - 2]! + 1);
      next.push(cost);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
