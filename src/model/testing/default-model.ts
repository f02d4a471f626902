import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type GgufHeader, readGguf } from '../gguf.ts';
import { PathSource } from '../path-source.ts';

/** Where `npm test` puts the default model before anything runs. */
export const DEFAULT_MODEL = fileURLToPath(
  new URL('../../../data/models/SmolLM2-135M-Instruct.Q4_1.gguf', import.meta.url),
);

/** The header of the default model; a missing file fails the test that asks. */
export async function defaultModelHeader(): Promise<GgufHeader> {
  try {
    await access(DEFAULT_MODEL);
  } catch (cause) {
    throw new Error(`${DEFAULT_MODEL} is missing. Run the tests with "npm test", which fetches it.`, {
      cause,
    });
  }
  const source = await PathSource.open(DEFAULT_MODEL);
  try {
    return await readGguf(source);
  } finally {
    await source.close?.();
  }
}
