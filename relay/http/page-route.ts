import type { Page } from '../page.ts';
import { fail } from '../respond.ts';
import type { Route } from './types.ts';

/** The chat page. `page` gives null while it is being built, which takes seconds at the first start. */
export function pageRoute(page: () => Page | null): Route {
  return {
    methods: ['GET'],
    label: 'page',
    matches: (path) => page()?.has(path) ?? (path === '/' || path.startsWith('/assets/')),
    handle({ request, response, path }) {
      const built = page();
      if (built) return built.serve(request, response, path);
      response.setHeader('Retry-After', '3');
      fail(response, 503, 'The page is being built. Reload in a few seconds.');
    },
  };
}

/**
 * Where a system's share menu sends files to. The page's service worker takes them before they leave the device; they
 * come here only where it is missing, and are not read. The page opens without them.
 */
export function shareTargetRoute(): Route {
  return {
    methods: ['POST'],
    label: 'page',
    matches: (path) => path === '/share-target',
    handle({ response }) {
      response.writeHead(303, { Location: '/#/chat', 'Content-Length': 0, Connection: 'close' });
      response.end();
    },
  };
}
