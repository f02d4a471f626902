import { FRONT_LAYERS } from '../../src/swarm/index.ts';
import { median } from '../statistics.ts';
import { ms, type Table } from '../table.ts';
import type { ChainLab } from './chain-lab.ts';
import { promptOf } from './speed.ts';

const FINDS = 20;

/** How long it takes to learn who holds the layers, and whom of them to ask. */
export async function findTime(lab: ChainLab, rounds: number): Promise<Table> {
  const { client, pool } = lab;
  const { layers } = pool.model.manifest.config;
  const found = await client.page.evaluate(([start, end, count]) => window.peer.find(start, end, count), [
    FRONT_LAYERS,
    layers,
    FINDS,
  ] as const);
  const holders = lab.hosts.flat().map(({ peer }) => peer);
  const missing = holders.filter((peer) => !found.peers.includes(peer));
  if (missing.length > 0)
    throw new Error(`the DHT did not tell of ${missing.length} of ${holders.length} hosts`);
  const probed: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await client.openChain(lab.chain);
    probed.push((await client.run({ prompt: promptOf(lab, 1), steps: 0 })).findMs);
  }
  return {
    title: 'Finding hosts',
    header: ['what', 'median', 'slowest'],
    rows: [
      [
        `asking the DHT for layers ${FRONT_LAYERS} to ${layers - 1}`,
        ms(median(found.times)),
        ms(Math.max(...found.times)),
      ],
      ['finding and probing for a new chain', ms(median(probed)), ms(Math.max(...probed))],
    ],
    notes: [
      `${FINDS} questions one after the other, each for the exact range and every cell of the grid that it touches, to one relay; ${holders.length} hosts hold something. ${rounds} new chains, with nothing remembered of earlier ones.`,
    ],
  };
}
