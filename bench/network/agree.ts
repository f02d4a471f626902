export interface Agreement {
  /** Tokens equal to those of the lossless wire, of all. */
  equal: number;
  all: number;
  /** Answers that would come out the same from the first to the last token. */
  wholeAnswers: number;
}

/**
 * How far choices agree with the lossless ones, answer by answer. Every choice was made after the lossless tokens before
 * it, so one difference counts once; and up to the first one an answer is what it would be by itself.
 */
export function compareTokens(
  lossless: readonly (readonly number[])[],
  chosen: readonly (readonly number[])[],
): Agreement {
  const sum: Agreement = { equal: 0, all: 0, wholeAnswers: 0 };
  for (const [i, tokens] of lossless.entries()) {
    const equal = tokens.filter((token, at) => chosen[i]?.[at] === token).length;
    sum.equal += equal;
    sum.all += tokens.length;
    if (equal === tokens.length) sum.wholeAnswers++;
  }
  return sum;
}
