import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PeerAddress } from '../../src/swarm/index.ts';
import { relayAddress } from '../../src/swarm/index.ts';
import { createRelaySwarm } from '../../src/swarm/node.ts';
import { answerEchoes } from './echo.ts';

export interface BenchRelay {
  /** Multiaddr. */
  address: string;
  /** For tabs, which have a link to it already. */
  peer: PeerAddress;
  close(): Promise<void>;
}

/** A relay in this process that lends nothing: signalling, DHT and echoes. */
export async function startRelay(): Promise<BenchRelay> {
  const server = createServer((_request, response) => response.writeHead(404).end());
  const swarm = await createRelaySwarm({ attachTo: server });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const address = relayAddress(`http://127.0.0.1:${port}`, swarm.peer);
  answerEchoes(swarm.transport);
  return {
    address,
    peer: { peer: swarm.peer, addrs: [address] },
    async close() {
      await swarm.close('the bench is over');
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
