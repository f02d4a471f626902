import { randomBytes } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modelsRoute } from '../http/models-route.ts';
import { route } from '../http/testing/serve.ts';
import type { Route } from '../http/types.ts';
import { sendJson } from '../respond.ts';
import { type ServedModel, Shelf } from '../shelf.ts';

export const CID = 'bafkreiexampleexampleexampleexampleexampleexampleexampleexam';
/** The bytes of the model's only file, and the path where a relay serves them. */
export const MODEL = randomBytes(300_000);
export const FILE = `/models/${CID}/files/odd%20%23name%3F%25.gguf`;

/** Writes the model into this folder, and puts it on a shelf of its own. */
export async function shelveModel(folder: string): Promise<{ shelf: Shelf; model: ServedModel }> {
  const path = join(folder, 'odd #name?%.gguf');
  await writeFile(path, MODEL);
  const shelf = new Shelf();
  const model: ServedModel = {
    id: 'odd',
    cid: CID,
    name: 'Odd',
    layers: 2,
    license: 'MIT',
    manifest: Buffer.from('{"version":1}'),
    files: [{ name: 'odd #name?%.gguf', path, bytes: MODEL.length, modified: (await stat(path)).mtimeMs }],
  };
  shelf.add(model);
  return { shelf, model };
}

/** The relay's health and the models of this shelf, before any other routes. */
export function shelfRoutes(shelf: Shelf, more: Route[] = []): Route[] {
  const health = route('/healthz', ({ request, response }) => sendJson(request, response, { status: 'ok' }), {
    kind: 'light',
  });
  return [health, modelsRoute(shelf), ...more];
}
