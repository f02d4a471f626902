import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Peers of the generated network, the relay among them. */
export const MANY = 500;
const CID = 'bafkr4igenerated';

/** A shoal of 500 as a relay would tell it, at some second. */
function crowd(second: number): Record<string, unknown> {
  const id = (i: number) => `peer${String(i).padStart(4, '0')}`;
  const ranges = [
    [0, 32],
    [2, 10],
    [8, 16],
    [16, 24],
    [24, 32],
    [2, 18],
    [16, 32],
  ] as const;
  const hosts = Array.from({ length: 300 }, (_, i) => {
    const [start, end] = ranges[(i * 5 + (i % 3)) % ranges.length]!;
    return {
      peer: id(i),
      self: false,
      layers: [{ cid: CID, start, end }],
      exact: true,
      path: 'websocket',
      round_trip_ms: 10 + (i % 90),
      sessions: (i + second) % 17 === 0 ? 1 + (i % 4) : 0,
    };
  });
  const clients = Array.from({ length: 199 }, (_, i) => id(300 + i + (i < 5 ? second : 0) * 1_000));
  const names = [...hosts.map(({ peer }) => peer), ...clients];
  const links = [
    ...names.map((to) => ({ from: 'RELAYxyz', to, path: 'websocket', round_trip_ms: 20 })),
    ...hosts.flatMap(({ peer }, i) =>
      [1, 7, 31].map((step) => ({
        from: peer,
        to: id((i + step) % 300),
        path: (i + step) % 5 === 0 ? 'relayed' : 'direct',
        round_trip_ms: 5 + ((i * step) % 120),
      })),
    ),
  ];
  const coverage = Array.from(
    { length: 32 },
    (_, layer) => hosts.filter(({ layers: [slice] }) => slice!.start <= layer && layer < slice!.end).length,
  );
  return {
    at: new Date(1_800_000_000_000 + second * 1000).toISOString(),
    relay: { peer: '12D3KooWGeneratedGeneratedGeneratedRELAYxyz' },
    models: [
      { id: 'm', cid: CID, name: 'A model of many', layers: 32, coverage, holders: 300, client_layers: 2 },
    ],
    peers: { total: MANY - 1, hosting: 300, by_path: {} },
    hosts,
    clients,
    links,
    relays: [],
    answers: { running: 3 },
  };
}

/** Tells of the crowd, once a second, to whoever watches. */
export async function startCrowd(): Promise<{ url: string; close(): Promise<void> }> {
  const watchers = new Set<ServerResponse>();
  let second = 0;
  const say = (to: ServerResponse) => to.write(`event: state\ndata: ${JSON.stringify(crowd(second))}\n\n`);
  const server: Server = createServer(({ url }, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (url !== '/v1/network/live') return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    watchers.add(response);
    response.on('close', () => watchers.delete(response));
    return say(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const timer = setInterval(() => {
    second++;
    for (const watcher of watchers) say(watcher);
  }, 1_000);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      clearInterval(timer);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
