import { asInteger, shown, throwIfAborted } from './checks.ts';
import { requireArchitecture } from './config.ts';
import { ModelError } from './errors.ts';
import { GgufCursor, NeedMore } from './gguf-cursor.ts';
import { checkSpans } from './tensor-spans.ts';
import { ggmlTypeName, TENSOR_TYPE_LIST, tensorBytes, typeFromGgml } from './tensor-types.ts';
import type { ByteSource, TensorInfo } from './types.ts';

/** First read; most headers (a vocabulary of 50,000) fit. Doubled as long as the header goes on. */
const FIRST_WINDOW = 2 * 1024 * 1024;
/** The largest header read. The largest vocabularies of today (256,000 tokens with scores) take about 12 MiB. */
export const MAX_GGUF_HEADER = 64 * 1024 * 1024;
const MAX_KEYS = 4096;
/** 512 layers of 16 tensors are half of this. */
export const MAX_TENSORS = 16_384;
const MAX_ALIGNMENT = 1024 * 1024;

export interface GgufHeader {
  version: 2 | 3;
  /** Plain values; lists are arrays. Keys as in the file. */
  metadata: Record<string, unknown>;
  /** In file order, `file` 0, offsets from the start of the file. */
  tensors: TensorInfo[];
  /** Bytes before the padding that precedes the data. */
  headerBytes: number;
}

/**
 * Reads the header of a GGUF file (v2 or v3, the GGUF specification of ggml). Nothing but the header is read, and
 * every count is held against the size of the file before anything is made from it.
 * @throws ModelError `not-a-model`, `unsupported-architecture`, `unsupported-type`, `malformed`, `truncated`,
 * `too-large`, and what the source throws
 */
export async function readGguf(source: ByteSource, signal?: AbortSignal): Promise<GgufHeader> {
  let bytes = new Uint8Array(0);
  for (let window = FIRST_WINDOW; ; window *= 2) {
    throwIfAborted(signal);
    const length = Math.min(window, source.size, MAX_GGUF_HEADER);
    const more = await source.read(bytes.length, length - bytes.length, signal);
    const grown = new Uint8Array(length);
    grown.set(bytes);
    grown.set(more, bytes.length);
    bytes = grown;
    try {
      return parse(new GgufCursor(bytes, source.size), source);
    } catch (error) {
      if (!(error instanceof NeedMore)) throw error;
      if (length === MAX_GGUF_HEADER)
        throw new ModelError(
          'too-large',
          `The header of ${source.name} is longer than ${MAX_GGUF_HEADER} bytes, the most that is read.`,
        );
    }
  }
}

/**
 * The metadata of a header that was cut out of its file (`headerBytes` of `readGguf`).
 * @throws ModelError `malformed`, `truncated`
 */
export function readGgufMetadata(header: Uint8Array): Record<string, unknown> {
  return readStart(new GgufCursor(header, header.length), 'The tokenizer').metadata;
}

function parse(cursor: GgufCursor, source: ByteSource): GgufHeader {
  const { version, metadata, tensorCount } = readStart(cursor, source.name);
  requireArchitecture(metadata['general.architecture']);
  if (Number(metadata['split.count'] ?? 0) > 1)
    throw new ModelError(
      'malformed',
      `${source.name} is one part of a split GGUF. Join the parts with "llama-gguf-split --merge" and open the result.`,
    );
  const alignment = alignmentOf(metadata);
  const found = readTensors(cursor, tensorCount, alignment);
  const headerBytes = cursor.position;
  const data = Math.ceil(headerBytes / alignment) * alignment;
  const tensors = found.map((tensor) => ({ ...tensor, offset: data + tensor.offset }));
  return { version, metadata, tensors: checkSpans(tensors, [source]), headerBytes };
}

/** Everything before the list of tensors. */
function readStart(cursor: GgufCursor, name: string) {
  if (cursor.ascii(4) !== 'GGUF')
    throw new ModelError('not-a-model', `${name} is not a GGUF file. Pick a .gguf or a Hugging Face folder.`);
  const version = cursor.u32();
  if (version !== 2 && version !== 3)
    throw new ModelError(
      'malformed',
      `${name} is GGUF version ${version}; versions 2 and 3 (little-endian) run. Convert it with a recent llama.cpp.`,
    );
  const tensorCount = cursor.count('The number of tensors', MAX_TENSORS, 24);
  const keyCount = cursor.count('The number of metadata keys', MAX_KEYS, 13);
  const metadata = readMetadata(cursor, keyCount);
  return { version: version as 2 | 3, metadata, tensorCount };
}

function readMetadata(cursor: GgufCursor, count: number): Record<string, unknown> {
  // No prototype: a key named "__proto__" is a key like any other.
  const metadata: Record<string, unknown> = Object.create(null);
  for (let i = 0; i < count; i++) {
    const key = cursor.string('A metadata key', 65_535);
    if (key in metadata)
      throw new ModelError('malformed', `The metadata key ${shown(key)} appears twice. The file is damaged.`);
    metadata[key] = cursor.value(shown(key));
  }
  return metadata;
}

function alignmentOf(metadata: Record<string, unknown>): number {
  const value = asInteger(metadata['general.alignment'] ?? 32, '"general.alignment"', 1, MAX_ALIGNMENT);
  if ((value & (value - 1)) !== 0)
    throw new ModelError(
      'malformed',
      `"general.alignment" is ${value}, not a power of two. The file is damaged.`,
    );
  return value;
}

function readTensors(cursor: GgufCursor, count: number, alignment: number): TensorInfo[] {
  const tensors: TensorInfo[] = [];
  for (let i = 0; i < count; i++) {
    const name = cursor.string('A tensor name', 256);
    const dimensions = cursor.u32();
    if (dimensions < 1 || dimensions > 4)
      throw new ModelError(
        'malformed',
        `${name} has ${dimensions} dimensions; 1 to 4 are possible. The file is damaged.`,
      );
    const shape: number[] = [];
    for (let d = 0; d < dimensions; d++) shape.unshift(cursor.u64(`A dimension of ${name}`));
    const number = cursor.u32();
    const offset = cursor.u64(`The offset of ${name}`);
    const type = typeFromGgml(number);
    if (type === null)
      throw new ModelError(
        'unsupported-type',
        `${name} is stored as ${ggmlTypeName(number)}, which does not run. These run: ${TENSOR_TYPE_LIST}.`,
      );
    const bytes = tensorBytes(type, shape);
    if (bytes === null)
      throw new ModelError(
        'malformed',
        `${name} cannot have shape [${shape.join(', ')}] as ${type}. The file is damaged.`,
      );
    if (offset % alignment !== 0)
      throw new ModelError(
        'malformed',
        `${name} starts at ${offset}, not aligned to ${alignment}. The file is damaged.`,
      );
    tensors.push({ name, type, shape, file: 0, offset, bytes });
  }
  return tensors;
}
