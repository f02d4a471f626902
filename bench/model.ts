import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LoadOptions } from '../src/engine/index.ts';
import { makeManifest, openModelFiles, wholeSlice } from '../src/model/index.ts';
import { sourcesFrom } from '../src/model/node.ts';

/** The default model's file, in the project's data folder. */
export const MODEL_FOLDER = 'data/models';
export const MODEL_FILE = 'SmolLM2-135M-Instruct.Q4_1.gguf';

export function modelPath(): string {
  const path = fileURLToPath(new URL(`../${MODEL_FOLDER}/${MODEL_FILE}`, import.meta.url));
  if (!existsSync(path))
    throw new Error(
      `${MODEL_FOLDER}/${MODEL_FILE} is not there: start the relay once (npm start) to fetch it`,
    );
  return path;
}

/** The whole model, as the engine's loaders in Node take it. */
export async function wholeModel(): Promise<Pick<LoadOptions, 'manifest' | 'slice' | 'weights'>> {
  const path = modelPath();
  const opened = await openModelFiles(await sourcesFrom(path));
  const { manifest } = await makeManifest(opened);
  await Promise.all(opened.sources.map((source) => source.close?.()));
  return { manifest, slice: wholeSlice(manifest), weights: { kind: 'files', files: [path] } };
}
