import { asInteger, asRecord, asString, shown } from './checks.ts';
import { checkConfig } from './config.ts';
import { ModelError } from './errors.ts';
import { MAX_TENSORS } from './gguf.ts';
import { SHA256_HEX } from './hash.ts';
import { MAX_NAME_LENGTH, MAX_TEMPLATE_LENGTH } from './opened.ts';
import { checkTensors } from './tensor-layout.ts';
import { checkSpans } from './tensor-spans.ts';
import { isTensorType, tensorBytes } from './tensor-types.ts';
import type { HashedRange, Manifest, ManifestTensor } from './types.ts';

const MAX_FILES = 1024;
const MAX_TOKENIZER_RANGES = 8;
/** A GGUF header or a tokenizer.json; larger than any known. */
const MAX_TOKENIZER_BYTES = 64 * 1024 * 1024;
/** The largest tensor of a known model is about 2.5 GB (a vocabulary of 152,000 by a width of 8192, f16). */
const MAX_TENSOR_BYTES = 2 ** 32;
const FILE_NAME = /^[^/\\\p{Cc}]{1,255}$/u;

/**
 * Checks every field of a manifest, whoever wrote it, with the code that checks model files.
 * @returns a fresh manifest with these fields only
 * @throws ModelError
 */
export function checkManifest(value: unknown): Manifest {
  const raw = asRecord(value, 'The manifest');
  if (raw.version !== 1)
    throw new ModelError(
      'malformed',
      `The manifest has version ${shown(raw.version)}; version 1 is read. Update Shoal.`,
    );
  const name = asString(raw.name, 'The name of the model', MAX_NAME_LENGTH);
  const config = checkConfig(raw.config);
  const files = asList(raw.files, 'files', MAX_FILES).map((file, i) => checkFile(file, `files[${i}]`));
  if (new Set(files.map((file) => file.name)).size !== files.length)
    throw new ModelError('malformed', 'Two files of the manifest have the same name.');
  const sizes = files.map((file) => ({ name: file.name, size: file.bytes }));
  const listed = asList(raw.tensors, 'tensors', MAX_TENSORS).map((tensor, i) =>
    checkTensor(tensor, `tensors[${i}]`),
  );
  const tensors = checkSpans(listed, sizes);
  if (tensors.some((tensor, i) => tensor !== listed[i]))
    throw new ModelError('malformed', 'The tensors of the manifest are not in file order.');
  if (checkTensors(config, tensors).length !== tensors.length)
    throw new ModelError('malformed', 'The manifest lists tensors that the model does not use.');
  const chatTemplate =
    raw.chatTemplate === null ? null : asString(raw.chatTemplate, 'The chat template', MAX_TEMPLATE_LENGTH);
  return {
    version: 1,
    name,
    config,
    files,
    tensors,
    tokenizer: checkTokenizer(raw.tokenizer, files),
    chatTemplate,
  };
}

function checkFile(value: unknown, what: string): Manifest['files'][number] {
  const raw = asRecord(value, what);
  if (typeof raw.name !== 'string' || !FILE_NAME.test(raw.name) || raw.name === '.' || raw.name === '..')
    throw new ModelError('malformed', `${what} is named ${shown(raw.name)}, which is no file name.`);
  return { name: raw.name, bytes: asInteger(raw.bytes, `${what}.bytes`, 0, Number.MAX_SAFE_INTEGER) };
}

function checkTensor(value: unknown, what: string): ManifestTensor {
  const raw = asRecord(value, what);
  const name = asString(raw.name, `${what}.name`, 256);
  if (!isTensorType(raw.type))
    throw new ModelError('unsupported-type', `${name} is stored as ${shown(raw.type)}, which does not run.`);
  const shape = asList(raw.shape, `${what}.shape`, 4).map((n) =>
    asInteger(n, `A dimension of ${name}`, 1, Number.MAX_SAFE_INTEGER),
  );
  const bytes = asInteger(raw.bytes, `${what}.bytes`, 1, MAX_TENSOR_BYTES);
  if (tensorBytes(raw.type, shape) !== bytes)
    throw new ModelError(
      'malformed',
      `${name} cannot hold [${shape.join(', ')}] as ${raw.type} in ${bytes} bytes.`,
    );
  return {
    name,
    type: raw.type,
    shape,
    file: asInteger(raw.file, `${what}.file`, 0, MAX_FILES - 1),
    offset: asInteger(raw.offset, `${what}.offset`, 0, Number.MAX_SAFE_INTEGER),
    bytes,
    sha256: checkHash(raw.sha256, `${what}.sha256`),
  };
}

function checkTokenizer(value: unknown, files: Manifest['files']): Manifest['tokenizer'] {
  if (value === null) return null;
  const raw = asRecord(value, 'tokenizer');
  if (raw.kind !== 'gguf' && raw.kind !== 'huggingface')
    throw new ModelError('malformed', `The tokenizer is of the unknown kind ${shown(raw.kind)}.`);
  const ranges = asList(raw.ranges, 'tokenizer.ranges', MAX_TOKENIZER_RANGES).map((item, i): HashedRange => {
    const what = `tokenizer.ranges[${i}]`;
    const range = asRecord(item, what);
    const file = asInteger(range.file, `${what}.file`, 0, files.length - 1);
    const size = files[file]!.bytes;
    const offset = asInteger(range.offset, `${what}.offset`, 0, size);
    const bytes = asInteger(range.bytes, `${what}.bytes`, 1, Math.min(size - offset, MAX_TOKENIZER_BYTES));
    return { file, offset, bytes, sha256: checkHash(range.sha256, `${what}.sha256`) };
  });
  if (ranges.length === 0) throw new ModelError('malformed', 'The tokenizer of the manifest has no bytes.');
  return { kind: raw.kind, ranges };
}

function checkHash(value: unknown, what: string): string {
  if (typeof value !== 'string' || !SHA256_HEX.test(value))
    throw new ModelError('malformed', `${what} is ${shown(value)}, not a SHA-256 in lower-case hex.`);
  return value;
}

function asList(value: unknown, what: string, max: number): unknown[] {
  if (!Array.isArray(value) || value.length > max)
    throw new ModelError('malformed', `${what} of the manifest is no list of at most ${max} items.`);
  return value;
}
