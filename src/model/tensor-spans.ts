import { ModelError } from './errors.ts';
import type { TensorInfo } from './types.ts';

/**
 * Checks that the tensors lie inside their files, do not overlap, and have different names.
 * @returns the tensors in file order
 * @throws ModelError `truncated`, `malformed`
 */
export function checkSpans<T extends TensorInfo>(
  tensors: readonly T[],
  files: readonly { name: string; size: number }[],
): T[] {
  const sorted = [...tensors].sort((a, b) => a.file - b.file || a.offset - b.offset);
  const names = new Set<string>();
  let before: T | undefined;
  for (const tensor of sorted) {
    const file = files[tensor.file];
    const end = tensor.offset + tensor.bytes;
    if (!file || !Number.isSafeInteger(end) || end > file.size)
      throw new ModelError(
        'truncated',
        `${file?.name ?? 'A file'} ends at byte ${file?.size ?? 0}, but ${tensor.name} needs bytes up to ${end}. ` +
          'The file is incomplete: fetch it again.',
      );
    if (before && before.file === tensor.file && before.offset + before.bytes > tensor.offset)
      throw new ModelError('malformed', `${before.name} and ${tensor.name} overlap. The file is damaged.`);
    if (names.has(tensor.name))
      throw new ModelError('malformed', `There are two tensors named ${tensor.name}. The file is damaged.`);
    names.add(tensor.name);
    before = tensor;
  }
  return sorted;
}
