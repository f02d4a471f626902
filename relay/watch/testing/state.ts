import type { NetworkState } from '../network-state.ts';

/** A state of the network with one model and one host, changed as wanted. */
export function stateOf(change: Partial<NetworkState> = {}): NetworkState {
  return {
    at: '2026-03-04T12:34:56.000Z',
    relay: { peer: '12D3KooWRelay', version: '0.1.0', uptime_s: 90, url: null, draining: false },
    models: [
      {
        id: 'm',
        cid: 'bafymodel0',
        name: 'Model',
        layers: 4,
        coverage: [0, 1, 2, 3],
        holders: 3,
        client_layers: 2,
      },
    ],
    peers: { total: 5, hosting: 1, by_path: { websocket: 2 } },
    hosts: [
      {
        peer: 'abcdefgh',
        self: false,
        layers: [{ cid: 'bafymodel0', start: 1, end: 4 }],
        exact: true,
        path: 'websocket',
        round_trip_ms: 12,
        sessions: 2,
      },
    ],
    clients: ['stuvwxyz'],
    links: [{ from: 'ZRelayXY', to: 'abcdefgh', path: 'websocket', round_trip_ms: 12 }],
    relays: [{ peer: 'zyxwvuts', state: 'connected' }],
    reservations: 4,
    records: 40,
    answers: { running: 1, waiting: 2, today: 3, total: 400, tokens_total: 5000 },
    relayed_bytes: 1_500_000,
    recent: [{ at: '2026-03-04T12:34:50.000Z', kind: 'error', count: 2, code: 'api/failed' }],
    ...change,
  };
}
