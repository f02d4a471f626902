/** Characters of a title: what a list shows in one or two lines. */
const LONGEST = 60;
/** A word that is longer than this is cut. */
const LEAST = 30;

/** A title from a question: its first line of words, cut at the end of a word. */
export function titleOf(question: string): string {
  // Enough to fill a title whatever spaces are in front, and no more of an enormous paste.
  const text = question
    .slice(0, 20 * LONGEST)
    .replace(/\s+/g, ' ')
    .trim();
  if (text.length <= LONGEST) return text;
  const cut = text.slice(0, LONGEST);
  const space = cut.lastIndexOf(' ');
  const words = space >= LEAST ? cut.slice(0, space) : cut.replace(/[\uD800-\uDBFF]$/, '');
  return `${words.replace(/[\s,;:.–—-]+$/, '')}…`;
}
