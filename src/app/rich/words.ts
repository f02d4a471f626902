export const richWords = {
  copyCode: 'Copy the code',
  /** Above code whose language is not told. */
  code: 'code',
  /** Names the box that scrolls sideways. */
  codeIn: (language: string) => (language === '' ? 'Code' : `Code, ${language}`),
  table: 'Table',
  formula: 'Formula',
  /** A picture is never fetched: its description leads to it. */
  image: (description: string) => (description === '' ? 'Picture' : `Picture: ${description}`),
  done: 'Done',
  notDone: 'Not done',
};
