import { type Manifest, ModelError, parseManifest } from '../model/index.ts';
import { ShoalError } from './errors.ts';
import { fetchBytes } from './fetch-bytes.ts';
import type { Platform } from './platform.ts';

/** A list longer than this is no list of ours. */
const MOST_LIST_BYTES = 1024 * 1024;
const MOST_MODELS = 1000;
const MOST_MANIFEST_BYTES = 8 * 1024 * 1024;
const KEPT = 'shoal.catalogue';

/** A model as the relay lists it. Addresses are relative to the relay. */
export interface RelayModel {
  id: string;
  cid: string;
  name: string;
  layers: number;
  bytes: number;
  license: string | null;
  manifest: string;
  files: string[];
}

/**
 * The relay's models. The last list is kept, so that models in the store are found when the relay is gone.
 * @throws ShoalError `unreachable` when there is neither a relay nor a list
 */
export async function relayModels(
  platform: Platform,
  relay: URL,
  signal?: AbortSignal,
): Promise<RelayModel[]> {
  const key = `${KEPT}:${relay.href}`;
  try {
    const bytes = await fetchBytes(platform, new URL('models/index.json', relay), MOST_LIST_BYTES, signal);
    const text = new TextDecoder().decode(bytes);
    const models = checkList(JSON.parse(text));
    platform.keep.set(key, text);
    return models;
  } catch (error) {
    if (signal?.aborted) throw error;
    const kept = platform.keep.get(key);
    if (kept !== null) return checkList(JSON.parse(kept));
    throw new ShoalError(
      'unreachable',
      `The list of models could not be fetched from ${relay.host}. Is the relay running? Retry when it is.`,
      { cause: error },
    );
  }
}

/** A manifest from the relay, checked against the cid that names it. */
export async function relayManifest(
  platform: Platform,
  relay: URL,
  model: RelayModel,
  signal?: AbortSignal,
): Promise<{ manifest: Manifest; bytes: Uint8Array }> {
  const bytes = await fetchBytes(platform, new URL(model.manifest, relay), MOST_MANIFEST_BYTES, signal);
  return { manifest: await parseManifest(bytes, model.cid), bytes };
}

function checkList(value: unknown): RelayModel[] {
  if (!Array.isArray(value) || value.length > MOST_MODELS) throw malformed('is no list of models');
  return value.map((entry: unknown, i) => {
    if (typeof entry !== 'object' || entry === null) throw malformed(`entry ${i} is no object`);
    const text = (name: string): string => {
      const found: unknown = Reflect.get(entry, name);
      if (typeof found !== 'string' || found === '' || found.length > 2000) {
        throw malformed(`entry ${i} has no usable "${name}"`);
      }
      return found;
    };
    const count = (name: string): number => {
      const found: unknown = Reflect.get(entry, name);
      if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 0) {
        throw malformed(`entry ${i} has no usable "${name}"`);
      }
      return found;
    };
    const files: unknown = Reflect.get(entry, 'files');
    const license: unknown = Reflect.get(entry, 'license');
    if (!Array.isArray(files) || !files.every((file) => typeof file === 'string')) {
      throw malformed(`entry ${i} has no usable "files"`);
    }
    return {
      id: text('id'),
      cid: text('cid'),
      name: text('name'),
      layers: count('layers'),
      bytes: count('bytes'),
      license: typeof license === 'string' ? license : null,
      manifest: text('manifest'),
      files,
    };
  });
}

function malformed(what: string): ModelError {
  return new ModelError('malformed', `The relay's list of models ${what}. Update the relay.`);
}
