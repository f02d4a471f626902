import { asInteger, asRecord, parseJson, shown } from './checks.ts';
import { ModelError } from './errors.ts';
import { MAX_TENSORS } from './gguf.ts';
import { ggufNameOf } from './huggingface-names.ts';
import { checkSpans } from './tensor-spans.ts';
import { tensorBytes } from './tensor-types.ts';
import type { ByteSource, TensorInfo, TensorType } from './types.ts';

/** About 200 bytes per tensor; the largest known headers are under 1 MiB. */
export const MAX_SAFETENSORS_HEADER = 16 * 1024 * 1024;

const TYPES: Readonly<Record<string, TensorType>> = { F32: 'F32', F16: 'F16', BF16: 'BF16' };

/**
 * Reads the header of a .safetensors file: u64 length, then JSON (the format's README, huggingface/safetensors).
 * Names become GGUF's; `file` is the index given.
 * @throws ModelError `not-a-model`, `unsupported-type`, `malformed`, `truncated`, `too-large`
 */
export async function readSafetensors(
  source: ByteSource,
  file = 0,
  signal?: AbortSignal,
): Promise<TensorInfo[]> {
  if (source.size < 10) throw new ModelError('not-a-model', `${source.name} is not a safetensors file.`);
  const head = await source.read(0, 9, signal);
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
  if (head[8] !== 0x7b) throw new ModelError('not-a-model', `${source.name} is not a safetensors file.`);
  if (length > MAX_SAFETENSORS_HEADER)
    throw new ModelError(
      'too-large',
      `The header of ${source.name} claims ${length} bytes; at most ${MAX_SAFETENSORS_HEADER} are read. ` +
        'The file is damaged or lies.',
    );
  const headerBytes = Number(length);
  const json = parseJson(await source.read(8, headerBytes, signal), `The header of ${source.name}`);
  const entries = Object.entries(asRecord(json, `The header of ${source.name}`));
  if (entries.length > MAX_TENSORS)
    throw new ModelError(
      'too-large',
      `${source.name} names ${entries.length} tensors; at most ${MAX_TENSORS} are read.`,
    );
  const data = 8 + headerBytes;
  const tensors = entries
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => readEntry(name, entry, { file, data, size: source.size }))
    .filter((tensor) => tensor !== null);
  const files = Array.from({ length: file + 1 }, () => source);
  return checkSpans(tensors, files);
}

function readEntry(
  hubName: string,
  value: unknown,
  { file, data, size }: { file: number; data: number; size: number },
): TensorInfo | null {
  const what = `The tensor ${shown(hubName)}`;
  if (hubName.length > 256)
    throw new ModelError('malformed', `${what} has a name of ${hubName.length} characters.`);
  const entry = asRecord(value, what);
  const name = ggufNameOf(hubName);
  if (name === null) return null;
  const dtype = entry.dtype;
  const type = typeof dtype === 'string' && Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
  if (!type)
    throw new ModelError(
      'unsupported-type',
      `${hubName} is stored as ${shown(dtype)}, which does not run. These run in safetensors: F32, F16, BF16.`,
    );
  const { shape, data_offsets: offsets } = entry;
  if (!Array.isArray(shape) || shape.length < 1 || shape.length > 4)
    throw new ModelError('malformed', `${what} has no shape of 1 to 4 dimensions. The file is damaged.`);
  if (!Array.isArray(offsets) || offsets.length !== 2)
    throw new ModelError('malformed', `${what} has no data_offsets. The file is damaged.`);
  const dimensions = shape.map((n) => asInteger(n, `A dimension of ${hubName}`, 1, Number.MAX_SAFE_INTEGER));
  const begin = asInteger(offsets[0], `The start of ${hubName}`, 0, size);
  const end = asInteger(offsets[1], `The end of ${hubName}`, begin, Number.MAX_SAFE_INTEGER);
  const bytes = tensorBytes(type, dimensions);
  if (bytes === null || bytes !== end - begin)
    throw new ModelError(
      'malformed',
      `${what} spans ${end - begin} bytes, which do not hold [${dimensions.join(', ')}] as ${type}. The file is damaged.`,
    );
  return { name, type, shape: dimensions, file, offset: data + begin, bytes };
}
