import type { Attachment } from './types.ts';

/** Bytes of one file: 256 KB of English is some 65,000 tokens, more than most models hold. */
export const MOST_BYTES = 262_144;
/** Files of one question. */
export const MOST_FILES = 8;
/** Characters of a paste above which it becomes an attachment: the box stays a box to write in. */
export const ENORMOUS_PASTE = 20_000;
/** Characters of a name that is shown and sent. */
const LONGEST_NAME = 120;

export type Refusal = 'binary' | 'too-large' | 'too-many' | 'unreadable' | 'empty';

export interface TakenFiles {
  attachments: Attachment[];
  refused: { name: string; why: Refusal }[];
}

/** Reads text files as attachments. @param room how many more the question takes */
export async function readTextFiles(files: readonly File[], room: number): Promise<TakenFiles> {
  const taken: TakenFiles = { attachments: [], refused: [] };
  for (const file of files) {
    const name = file.name.slice(-LONGEST_NAME) || 'text';
    const refuse = (why: Refusal) => taken.refused.push({ name, why });
    // Nothing is read of a file that would be refused for its size.
    if (taken.attachments.length >= room) refuse('too-many');
    else if (file.size > MOST_BYTES) refuse('too-large');
    else {
      const read = await readText(file);
      if (typeof read === 'string') refuse(read);
      else taken.attachments.push({ name, text: read.text });
    }
  }
  return taken;
}

async function readText(file: File): Promise<{ text: string } | Refusal> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch {
    // It was moved or locked after it was chosen; or it is a folder.
    return 'unreadable';
  }
  const text = decode(bytes);
  if (text === null) return 'binary';
  return text.trim() ? { text } : 'empty';
}

/** UTF-8, or UTF-16 with its mark, as editors write them; null for anything else. */
function decode(bytes: Uint8Array): string | null {
  const wide = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : null;
  const wideBig = bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : null;
  try {
    const text = new TextDecoder(wide ?? wideBig ?? 'utf-8', { fatal: true }).decode(bytes);
    // No text has them, and every binary format does.
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}

/** Files of a model rather than of a question: one of them makes all of them so, for a folder comes as many. */
export function areModelFiles(files: readonly { name: string }[]): boolean {
  return files.some(({ name }) => /\.(gguf|safetensors)$/i.test(name));
}
