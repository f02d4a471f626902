import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { IMMUTABLE } from './headers.ts';
import { fail, sendBytes, sendFile, sendJson } from './respond.ts';

/** A model that lies on this machine, whole, with its manifest. */
export interface ServedModel {
  id: string;
  cid: string;
  name: string;
  layers: number;
  license: string | null;
  manifest: Uint8Array;
  /** In manifest order. `modified`: milliseconds, as seen when the manifest was made. */
  files: { name: string; path: string; bytes: number; modified: number }[];
}

/** A model that is served, and since when: seconds since 1970. */
export interface ShelvedModel extends ServedModel {
  created: number;
}

/** One entry of /models/index.json; the URLs are relative to the relay. */
export interface ModelListing {
  id: string;
  /** Seconds since 1970 at which it was put on the shelf. */
  created: number;
  cid: string;
  name: string;
  layers: number;
  bytes: number;
  license: string | null;
  manifest: string;
  files: string[];
}

/** The models this relay serves, under /models/. Models may come and go while it runs. */
export class Shelf {
  readonly #models = new Map<string, ShelvedModel>();

  /** @param now milliseconds since 1970 */
  constructor(private readonly now: () => number = Date.now) {}

  /** Of the same cid, the first that came stays: it is the same model. */
  add(model: ServedModel): void {
    if (this.#models.has(model.cid)) return;
    this.#models.set(model.cid, { ...model, created: Math.floor(this.now() / 1000) });
  }

  /**
   * Takes a model off; requests that are being answered are finished.
   * @returns false when it is not here
   */
  remove(cid: string): boolean {
    return this.#models.delete(cid);
  }

  /**
   * Puts a model in the place of those with its id, for whoever asks by id to get the new one. Also for a file that was
   * moved: its cid is the same, and where it lies is not.
   * @returns the cids that are gone
   */
  replace(model: ServedModel): string[] {
    const old = this.models().filter(({ id, cid }) => id === model.id || cid === model.cid);
    for (const { cid } of old) this.#models.delete(cid);
    this.add(model);
    return old.flatMap(({ cid }) => (cid === model.cid ? [] : [cid]));
  }

  /** By cid, or by id; of several with one id, the one that came first. */
  find(name: string): ShelvedModel | null {
    return this.#models.get(name) ?? this.models().find(({ id }) => id === name) ?? null;
  }

  /** In the order in which they came. */
  models(): ShelvedModel[] {
    return [...this.#models.values()];
  }

  list(): ModelListing[] {
    return this.models().map((model) => ({
      id: model.id,
      created: model.created,
      cid: model.cid,
      name: model.name,
      layers: model.layers,
      bytes: model.files.reduce((sum, file) => sum + file.bytes, 0),
      license: model.license,
      manifest: `/models/${model.cid}/manifest.json`,
      files: model.files.map((file) => `/models/${model.cid}/files/${encodeURIComponent(file.name)}`),
    }));
  }

  /** Answers a request under /models/; `segments` is the decoded path after it. */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    segments: readonly string[],
  ): Promise<void> {
    const [cid = '', kind, name] = segments;
    if (segments.length === 1 && cid === 'index.json') return sendJson(request, response, this.list());
    const model = this.#models.get(cid);
    if (!model) return fail(response, 404, 'This relay has no such model. See /models/index.json.');
    if (segments.length === 2 && kind === 'manifest.json')
      return sendBytes(request, response, model.manifest, 'application/json; charset=utf-8', IMMUTABLE);
    const index =
      segments.length === 3 && kind === 'files' ? model.files.findIndex((f) => f.name === name) : -1;
    const file = model.files[index];
    if (!file) return fail(response, 404, 'This model has no such file.');

    // Bytes that changed since they were hashed would be refused by every tab: say why instead.
    const now = await stat(file.path).catch(() => null);
    if (!now || now.size !== file.bytes || now.mtimeMs !== file.modified)
      return fail(response, 410, 'This file has changed on the relay. Its operator must restart the relay.');
    response.setHeader('Content-Type', 'application/octet-stream');
    response.setHeader('Cache-Control', IMMUTABLE);
    response.setHeader('ETag', `"${cid}-${index}"`);
    // "The last N bytes" of a file shorter than N means all of it (RFC 9110, 14.1.2); `send` answers 416.
    const suffix = /^bytes=-(\d+)$/.exec(request.headers.range ?? '');
    if (suffix && Number(suffix[1]) >= file.bytes) delete request.headers.range;
    sendFile(request, response, file.path, true);
  }
}
