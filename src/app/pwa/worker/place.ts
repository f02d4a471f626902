import { RUNTIME_FOLDER, SHARE_TARGET } from '../build/names.ts';

/**
 * Where the answer to a request comes from. `page`: the kept page. `page-offline`: the relay, and the kept page when
 * there is none. `file`: a kept file of this build or of one that is still open. `runtime`: onnxruntime's files, kept
 * when first used. `shared`: what was shared to the page. `network`: nothing of it is touched here.
 */
export type Place = 'page' | 'page-offline' | 'file' | 'runtime' | 'shared' | 'network';

/** The relay's own answers: never kept, because the store of models is elsewhere and an answer is true only once. */
export const RELAYS = ['/models/', '/v1/'] as const;

/**
 * @param origin of the page
 * @param isKept whether this build has a file at a path
 */
export function placeOf(
  request: Pick<Request, 'method' | 'mode' | 'url'>,
  origin: string,
  isKept: (path: string) => boolean,
): Place {
  const { origin: from, pathname } = new URL(request.url);
  if (from !== origin) return 'network';
  const isVisit = request.mode === 'navigate';
  if (isVisit && request.method === 'POST' && pathname === SHARE_TARGET) return 'shared';
  if (request.method !== 'GET' || RELAYS.some((start) => pathname.startsWith(start))) return 'network';
  if (pathname === '/' || pathname === '/index.html') return isVisit ? 'page' : 'network';
  if (pathname.startsWith(RUNTIME_FOLDER)) return 'runtime';
  if (isKept(pathname) || pathname.startsWith('/assets/')) return 'file';
  return isVisit ? 'page-offline' : 'network';
}
