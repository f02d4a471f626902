import { fail } from '../respond.ts';
import type { Shelf } from '../shelf.ts';
import type { Route } from './types.ts';

/** The list of models, their manifests and their files, for tabs of this relay and of others. */
export function modelsRoute(shelf: Pick<Shelf, 'serve'>): Route {
  return {
    methods: ['GET'],
    label: 'models',
    crossOrigin: true,
    matches: (path) => path.startsWith('/models/'),
    handle({ request, response, segments: [first, ...rest] }) {
      // `/models%2Fx` is another path than `/models/x`.
      if (first !== 'models') return fail(response, 404, 'There is nothing here.');
      return shelf.serve(request, response, rest);
    },
  };
}
