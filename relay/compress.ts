import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const COMPRESSIBLE = /\.(css|html|js|json|mjs|svg|txt|wasm|webmanifest)$/;
/** Below one packet there is nothing to win. Bytes. */
const SMALLEST = 1400;
/** Brotli's last levels cost minutes on onnxruntime's 27 MB; level 9 takes 3 s and is within 10 %. Bytes. */
const LARGE = 1024 * 1024;

/** Writes a .br and a .gz beside every text and wasm file of the built page, where they are smaller. */
export async function compressFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name);
    if (!COMPRESSIBLE.test(name) || (await stat(path)).size < SMALLEST) continue;
    const bytes = await readFile(path);
    const quality = bytes.length > LARGE ? 9 : 11;
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    };
    const [br, gz] = await Promise.all([
      promisify(brotliCompress)(bytes, { params }),
      promisify(gzip)(bytes, { level: bytes.length > LARGE ? 6 : 9 }),
    ]);
    if (br.length < bytes.length) await writeFile(`${path}.br`, br);
    if (gz.length < bytes.length) await writeFile(`${path}.gz`, gz);
  }
}
