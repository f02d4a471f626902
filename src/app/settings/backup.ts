import type { Conversations } from '../chat/types.ts';
import type { SettingsStore } from './settings.ts';

const FORMAT = 'shoal-backup/1';
const CONVERSATIONS = 'shoal-conversations/';
/** Bytes of a file that is read: as many as an import of conversations takes, and some for the settings. */
const MOST_BYTES = 64 * 1024 * 1024 + 64 * 1024;

export type BackupProblem = 'too-large' | 'no-json' | 'no-backup';

/** Why a file cannot be taken back; the page has the words for it. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  constructor(
    readonly code: BackupProblem,
    options?: ErrorOptions,
  ) {
    super(`The file cannot be imported: ${code}.`, options);
  }
}

interface Stores {
  settings: SettingsStore;
  conversations: Conversations;
}

/** Settings and all conversations as one JSON file, put together without another copy of them in memory. */
export async function makeBackup({ settings, conversations }: Stores): Promise<Blob> {
  const head = `{"format":${JSON.stringify(FORMAT)},"settings":${JSON.stringify(settings.get())},"conversations":`;
  return new Blob([head, await conversations.exportJson(), '}'], { type: 'application/json' });
}

/**
 * Takes back what `makeBackup` made, or a file of conversations alone. Settings of the file replace those here, as far
 * as they make sense; conversations that are here already stay.
 * @returns whether settings were taken; what became of the conversations is in their notice
 * @throws BackupError
 */
export async function takeBackup(file: File, { settings, conversations }: Stores): Promise<boolean> {
  if (file.size > MOST_BYTES) throw new BackupError('too-large');
  const given = await parse(file);
  const format = field(given, 'format');
  if (typeof format === 'string' && format.startsWith(CONVERSATIONS)) {
    await conversations.import([file]);
    return false;
  }
  const wanted = field(given, 'settings');
  if (format !== FORMAT || typeof wanted !== 'object' || wanted === null) throw new BackupError('no-backup');
  // The store checks every field by itself.
  settings.change(wanted);
  const all = field(given, 'conversations');
  if (all !== undefined) {
    const text = JSON.stringify(all);
    await conversations.import([new File([text], file.name, { type: 'application/json' })]);
  }
  return true;
}

async function parse(file: File): Promise<unknown> {
  try {
    return JSON.parse(await file.text());
  } catch (cause) {
    throw new BackupError('no-json', { cause });
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
