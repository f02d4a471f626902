import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readGguf } from '../../model/gguf.ts';
import { PathSource } from '../../model/path-source.ts';

/** Where `npm test` puts the default model before anything runs. */
export const DEFAULT_MODEL = fileURLToPath(
  new URL('../../../data/models/SmolLM2-135M-Instruct.Q4_1.gguf', import.meta.url),
);

/** GGUF metadata of the default model; a missing file fails the test that asks. */
export async function defaultModelMetadata(): Promise<Record<string, unknown>> {
  try {
    await access(DEFAULT_MODEL);
  } catch (cause) {
    throw new Error(`${DEFAULT_MODEL} is missing. Run the tests with "npm test", which fetches it.`, {
      cause,
    });
  }
  const source = await PathSource.open(DEFAULT_MODEL);
  try {
    return (await readGguf(source)).metadata;
  } finally {
    await source.close?.();
  }
}
