export const lookWords = {
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied',
  notAllowed: 'Not allowed',
};
