import { EngineError } from '../types.ts';

/**
 * Source rows that undo the permutation of Q and K in GGUF files of `llama`: they interleave the two halves of each
 * head's rows, and the fast rotary kernels want the halves one after the other.
 * Per head of D rows, output row i takes source row 2i in the first half and 2(i - D/2) + 1 in the second.
 * @returns `heads` × `headSize` source rows, for `rowOrder`
 * @throws EngineError `bad-input`
 */
export function unpermuteRows(heads: number, headSize: number): Int32Array {
  const rows = heads * headSize;
  if (
    !Number.isInteger(heads) ||
    heads < 1 ||
    !Number.isInteger(headSize) ||
    headSize < 2 ||
    headSize % 2 !== 0
  )
    throw new EngineError('bad-input', `${heads} heads of ${headSize} rows cannot be rotated`);
  // Row numbers are 32-bit.
  if (rows > 0x7fffffff) throw new EngineError('bad-input', `${rows} rows are more than a matrix can have`);
  const order = new Int32Array(rows);
  const half = headSize / 2;
  for (let head = 0; head < rows; head += headSize)
    for (let i = 0; i < half; i++) {
      order[head + i] = head + 2 * i;
      order[head + half + i] = head + 2 * i + 1;
    }
  return order;
}
