import { expect, it } from 'vitest';
import { relayAddress } from '../src/swarm/index.ts';
import { createNodeSwarm, createRelaySwarm } from '../src/swarm/node.ts';
import { counting, serve } from './http/testing/serve.ts';
import { ask } from './testing/http.ts';

it('the swarm takes its WebSockets behind the guard, and says goodbye after the port was drained', {
  timeout: 120_000,
}, async () => {
  const { server, port, guard } = await serve([counting()]);
  const relay = await createRelaySwarm({ attachTo: server.http, addressOf: guard.addressOf });
  const relays = [relayAddress(`http://127.0.0.1:${port}/`, relay.peer)];
  const peers = await Promise.all([1, 2, 3].map(() => createNodeSwarm({ relays })));
  await Promise.all(peers.map(({ ready }) => ready));
  expect(relay.counts().peers).toBe(3);
  expect(guard.places.open).toBe(3);
  expect((await ask(port, '/')).text).toBe('ok');
  await server.drain({ patience: 60_000 });
  // Still there: a session on this relay's slices may be finishing.
  expect(relay.counts().peers).toBe(3);
  const closed = server.close();
  await relay.close('the relay stops');
  await closed;
  expect(guard.places.open).toBe(0);
  await Promise.all(peers.map((peer) => peer.close('the test is over')));
});
