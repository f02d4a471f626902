/**
 * A relay for tests that kill it: `node --import tsx killed-relay.ts <data folder>`. A host in the same process
 * publishes records without end, and each line on the standard output tells how far it is.
 */
import { createServer } from 'node:http';
import { createNodeSwarm, createRelaySwarm } from '../node.ts';
import { relayAddress } from '../relay-address.ts';

const [folder = ''] = process.argv.slice(2);
const server = createServer();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const relay = await createRelaySwarm({
  attachTo: server,
  dataFolder: folder,
  datastore: true,
  listen: { tcp: null, webrtc: 0, host: '127.0.0.1' },
  warn: (warning) => say({ warning }),
});
// Before anybody comes: what was on the disk.
say({ peer: relay.peer, addresses: relay.status().addresses, records: relay.counts().records });

const address = server.address();
const port = typeof address === 'object' && address ? address.port : 0;
// The same identity each time, as a host that comes back.
const host = await createNodeSwarm({
  relays: [relayAddress(`http://127.0.0.1:${port}/`, relay.peer)],
  seed: new Uint8Array(32).fill(7),
});
await host.ready;
for (let start = 0; ; start = (start + 1) % 20) {
  await host.directory.announce({ cid: 'bafkreikilled', layers: 40, start, end: start + 20 });
  say({ announced: start });
}
