/**
 * A model can say anything, also text that is made to cost: what is beyond these is shown as it came, unformatted.
 * Measured with the parser of Parsed.tsx on one core of a small server; an answer of 5,000 tokens has about 20,000
 * characters and 1,500 signs.
 */

/** Characters of one block: a paragraph, a list, a table. A longer one is cut at the end of a line. */
export const MOST_BLOCK_CHARACTERS = 24_000;
/** ASCII punctuation and line ends of one block, which is what the parser spends its time on: 0.1 s at the worst. */
export const MOST_BLOCK_SIGNS = 1_500;
/** Quotes and lists in one another at the beginning of a line: the parser takes the square of them. */
export const MOST_NESTED = 16;

/** What is formatted of one answer. */
export const MOST_CHARACTERS = 200_000;
export const MOST_SIGNS = 9_000;
export const MOST_BLOCKS = 800;

/** Elements of one block, and elements in one another: browsers lay nested ones out by recursion. */
export const MOST_ELEMENTS = 4_000;
export const MOST_DEPTH = 40;

/** Characters of one formula, elements that it becomes, and elements in one another: a fraction takes about ten. */
export const MOST_FORMULA = 2_000;
export const MOST_FORMULA_ELEMENTS = 4_000;
export const MOST_FORMULA_DEPTH = 150;

/** Characters of code that get colours, and pieces that they become. */
export const MOST_COLOURED = 40_000;
export const MOST_COLOURED_PIECES = 4_000;

/** Links of one answer may be defined at its end, `[1]: https://…`. Characters of such lines. */
export const MOST_DEFINITIONS = 4_000;
