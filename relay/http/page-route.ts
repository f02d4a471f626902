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
