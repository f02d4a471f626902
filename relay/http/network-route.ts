import type { Bootstrap } from '../../src/swarm/index.ts';
import { fail, sendFreshJson } from '../respond.ts';
import type { Route } from './types.ts';

/** How a page joins the network at this relay; `relays` are those that it is joined with. */
export interface NetworkDescription extends Bootstrap {
  /** Multiaddrs beside the path on this server, where there are any. */
  addresses: string[];
}

/** /network.json. `describe` gives null when this relay is no member of the network. */
export function networkRoute(describe: () => Promise<NetworkDescription | null>): Route {
  return {
    methods: ['GET'],
    label: 'network',
    crossOrigin: true,
    matches: (path) => path === '/network.json',
    async handle({ response }) {
      const description = await describe();
      if (response.destroyed) return;
      if (description) return sendFreshJson(response, description);
      fail(response, 503, 'This relay is not in the network. Its log says why.');
    },
  };
}
