/** What can be asked of the page with a slash, in the order of the list. */
export const COMMANDS = [
  'new',
  'temporary',
  'retry',
  'continue',
  'edit',
  'stop',
  'model',
  'system',
  'export',
  'share',
  'network',
  'settings',
  'help',
] as const;
export type CommandName = (typeof COMMANDS)[number];

/** The one command that takes words after it. Others with words after them are a message. */
const WITH_TEXT: CommandName = 'system';

/** Commands that the list offers for what is in the box; empty when it is no beginning of one. */
export function offered(text: string): CommandName[] {
  const begun = /^\/([a-z]*)$/i.exec(text)?.[1]?.toLowerCase();
  if (begun === undefined) return [];
  return COMMANDS.filter((name) => name.startsWith(begun));
}

export type Entered =
  | { kind: 'command'; name: CommandName; text: string }
  /** What is to be sent: the text itself, or without the slash that protects another. */
  | { kind: 'message'; text: string };

/** What a text in the box means. A message may begin with a slash: an unknown word, or a second slash, makes it one. */
export function readEntry(text: string): Entered {
  const trimmed = text.trim();
  if (trimmed.startsWith('//')) return { kind: 'message', text: trimmed.slice(1) };
  const found = /^\/([a-z]+)(?:\s+([\s\S]*))?$/i.exec(trimmed);
  const name = COMMANDS.find((one) => one === found?.[1]?.toLowerCase());
  const rest = found?.[2] ?? '';
  if (name === undefined || (rest && name !== WITH_TEXT)) return { kind: 'message', text };
  return { kind: 'command', name, text: rest };
}
