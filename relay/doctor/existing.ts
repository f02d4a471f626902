import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The folder, or the nearest one above it that exists. */
export async function existing(folder: string): Promise<string> {
  const there = await stat(folder).then(
    () => true,
    () => false,
  );
  return there || dirname(folder) === folder ? folder : existing(dirname(folder));
}
