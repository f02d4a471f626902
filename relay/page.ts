import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { IMMUTABLE, REVALIDATE } from './headers.ts';
import { fail, sendFile } from './respond.ts';

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  png: 'image/png',
  svg: 'image/svg+xml; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  wasm: 'application/wasm',
  webmanifest: 'application/manifest+json; charset=utf-8',
  woff2: 'font/woff2',
};

/** Names that change with what is in them: a digest, or the version of onnxruntime. */
const HASHED = /^(assets|ort\/\d[^/]*)\//;

/** Best first. */
const ENCODINGS = [
  { name: 'br', extension: '.br' },
  { name: 'gzip', extension: '.gz' },
] as const;

interface PageFile {
  path: string;
  type: string;
  cacheControl: string;
  etag: string;
  encodings: Set<string>;
}

/** The files of the built page, by their path on this server. */
export interface Page {
  has(path: string): boolean;
  /** Answers a request for a file that is there. */
  serve(request: IncomingMessage, response: ServerResponse, path: string): void;
}

/**
 * Lists the built page once. Requests are looked up in that list, so no path from outside reaches the disk.
 * @throws when the folder cannot be read
 */
export async function loadPage(folder: string): Promise<Page> {
  const files = new Map<string, PageFile>();
  const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll('\\', '/'));
  const all = new Set(names);
  for (const name of names) {
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
    const path = join(folder, name);
    if (!type || name.startsWith('.') || !(await stat(path)).isFile()) continue;
    files.set(`/${name}`, {
      path,
      type,
      cacheControl: HASHED.test(name) ? IMMUTABLE : REVALIDATE,
      etag: createHash('sha256')
        .update(await readFile(path))
        .digest('base64url')
        .slice(0, 27),
      encodings: new Set(ENCODINGS.filter((e) => all.has(name + e.extension)).map((e) => e.name)),
    });
  }
  const index = files.get('/index.html');
  if (index) files.set('/', index);

  return {
    has: (path) => files.has(path),
    serve(request, response, path) {
      const file = files.get(path);
      if (!file) return fail(response, 404);
      const accepted = acceptedEncodings(request.headers['accept-encoding']);
      const encoding = ENCODINGS.find((e) => file.encodings.has(e.name) && accepted.has(e.name));
      response.setHeader('Content-Type', file.type);
      response.setHeader('Cache-Control', file.cacheControl);
      // A strong ETag names one representation: each encoding has its own.
      response.setHeader('ETag', `"${file.etag}${encoding ? `-${encoding.name}` : ''}"`);
      if (file.encodings.size > 0) response.setHeader('Vary', 'Accept-Encoding');
      if (encoding) response.setHeader('Content-Encoding', encoding.name);
      sendFile(request, response, file.path + (encoding?.extension ?? ''), false);
    },
  };
}

/** Names in an Accept-Encoding header, less those refused with q=0. */
function acceptedEncodings(header: string | string[] | undefined): Set<string> {
  const accepted = new Set<string>();
  for (const entry of String(header ?? '')
    .toLowerCase()
    .split(',')) {
    const [name = '', ...parameters] = entry.split(';').map((part) => part.trim());
    if (!parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) accepted.add(name);
  }
  return accepted;
}
