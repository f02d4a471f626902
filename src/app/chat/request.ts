import type { Message } from '../../sdk/early.ts';
import type { Attachment, ThreadMessage } from './types.ts';

/** What the model reads: the system prompt, then a branch, each question after its attachments. */
export function requestMessages(system: string, branch: readonly ThreadMessage[]): Message[] {
  const messages = branch.map(({ role, content, attachments }) => ({
    role,
    content: withAttachments(content, attachments),
  }));
  return [
    ...(system.trim() ? [{ role: 'system' as const, content: system }] : []),
    // An answer that failed before its first word tells the model nothing.
    ...messages.filter(({ content }) => content !== ''),
  ];
}

/** A question with the text of its files in front, each under its name and inside a fence that it does not end. */
export function withAttachments(content: string, attachments: readonly Attachment[]): string {
  const files = attachments.map(({ name, text }) => {
    const fence = fenceFor(text);
    return `${lineOf(name)}\n${fence}\n${text}${text.endsWith('\n') ? '' : '\n'}${fence}\n\n`;
  });
  return files.join('') + content;
}

/** Longer than any run of backticks in the text, as CommonMark asks. */
function fenceFor(text: string): string {
  let longest = 2;
  for (const [run] of text.matchAll(/`{3,}/g)) longest = Math.max(longest, run.length);
  return '`'.repeat(longest + 1);
}

/** A file's name on one line. */
function lineOf(name: string): string {
  return name.replace(/\s+/g, ' ').trim().slice(0, 255) || 'file';
}
