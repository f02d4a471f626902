/** What the store says to a person, in notices and in files, apart from the words of the view. */
export const storeWords = {
  deletedOne: (title: string) => `Deleted “${title}”.`,
  deletedAll: (count: number) => `Deleted ${conversations(count)}.`,
  missing: 'This conversation is not here any more. It was deleted in another tab.',
  importing: (done: number) => `Importing… ${done} conversations so far.`,
  imported: (added: number, here: number, bad: number, why: string | null) => {
    const parts = [added > 0 || bad === 0 ? `Imported ${conversations(added)}.` : 'Nothing was imported.'];
    if (here > 0) parts.push(`${here === 1 ? 'One was' : `${here} were`} here already and stayed as before.`);
    if (bad > 0) parts.push(`${conversations(bad)} could not be read${why ? `: ${why}` : '.'}`);
    return parts.join(' ');
  },
  stoppedAt: (added: number, why: string) =>
    added > 0 ? `Imported ${conversations(added)}, then stopped. ${why}` : why,
  fileTooLarge: (name: string, most: string) => `“${name}” is too large: a file may have up to ${most}.`,
  notAnExport: (name: string) =>
    `“${name}” holds no conversations. Choose a JSON file that was exported here (“Export” in the list of chats).`,
  newerExport: (name: string) =>
    `“${name}” was exported by a newer Shoal. Reload this page, then import it again.`,
  tooMany: (name: string, most: number) =>
    `“${name}” holds more than ${most} conversations. Import it in parts.`,
  untitled: 'Untitled chat',
  you: 'You',
  shoal: 'Shoal',
  systemPrompt: 'System prompt',
  unfinished: 'This answer was not finished.',
};

function conversations(count: number): string {
  return count === 1 ? '1 conversation' : `${count} conversations`;
}
