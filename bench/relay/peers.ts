import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { megabytes, ms, type Table } from '../table.ts';
import type { RelayUnderTest } from './process.ts';

const CHILD = fileURLToPath(new URL('peers-child.ts', import.meta.url));
export const PEERS = 500;

/** What the child measured; milliseconds and bytes. */
export interface PeersResult {
  peers: number;
  joinedSeconds: number;
  findMedianMs: number;
  find99Ms: number;
  relayedBytes: number;
  /** Sends that failed because the relayed connection was cut. */
  cuts: number;
  relayedSeconds: number;
}

/** Five hundred peers with a reservation and a record each, on one relay. */
export async function manyPeers(relay: RelayUnderTest): Promise<Table> {
  const before = await relay.process.memory();
  const child = fork(CHILD, [relay.url, String(PEERS)], { execArgv: ['--import', 'tsx', '--expose-gc'] });
  const ended = once(child, 'exit').then(() => {
    throw new Error('the process of the peers ended');
  });
  // It is raced below; the end that is wanted comes last.
  ended.catch(() => {});
  const told = () => Promise.race([once(child, 'message'), ended]);
  const [joined] = (await told()) as [{ joined: number }];
  if (joined.joined !== PEERS) throw new Error(`only ${joined.joined} of ${PEERS} peers joined`);
  const after = await relay.process.memory();
  child.send('go on');
  const [result] = (await told()) as [PeersResult];
  child.kill('SIGTERM');
  await once(child, 'close');
  return {
    title: `One relay, ${PEERS} peers`,
    header: ['memory per peer', 'joins/s', 'DHT find p50', 'p99', 'relayed'],
    rows: [
      [
        `${Math.round((after - before) / PEERS / 1000)} KB`,
        (PEERS / result.joinedSeconds).toFixed(1),
        ms(result.findMedianMs),
        ms(result.find99Ms),
        `${(result.relayedBytes / 1e6 / result.relayedSeconds).toFixed(1)} MB/s`,
      ],
    ],
    notes: [
      `The peers are real ones (libp2p over WebSocket, Noise, yamux, a reservation, a published slice) in one other process, which needs about as much of the two cores as the relay. Memory is the relay’s resident set before and after they joined (${megabytes(before)}, ${megabytes(after)}). Finds: 300 questions by 20 peers, each for the exact range and its grid cells. Relayed: eight pairs of peers send each other 16 KB frames through the relay for ten seconds; ${result.cuts} sends failed because a connection was cut, and it was made anew.`,
    ],
  };
}
