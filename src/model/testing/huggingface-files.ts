import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { MemorySource } from '../sources.ts';
import type { ByteSource } from '../types.ts';

/** config.json and model.safetensors of one of the fixture models, in memory. */
export async function fixture(name: string): Promise<ByteSource[]> {
  const at = (file: string) => fileURLToPath(new URL(`../../../fixtures/${name}/${file}`, import.meta.url));
  const files = ['config.json', 'model.safetensors'];
  return Promise.all(
    files.map(async (file) => new MemorySource(file, new Uint8Array(await readFile(at(file))))),
  );
}

/** Writes a safetensors file. */
export function writeSafetensors(
  tensors: readonly { name: string; dtype: string; shape: readonly number[]; data: Uint8Array }[],
): Uint8Array {
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const { name, dtype, shape, data } of tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.length] };
    offset += data.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  let at = 8 + text.length;
  for (const { data } of tensors) {
    bytes.set(data, at);
    at += data.length;
  }
  return bytes;
}
