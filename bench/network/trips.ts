import { median } from '../statistics.ts';
import { ms, type Table, times, verdict } from '../table.ts';
import type { BenchRelay } from './relay.ts';
import { BenchTab, type Pool } from './tab.ts';

const SIZES = [
  { name: '1.2 KB', bytes: 1200 },
  { name: '16 KB', bytes: 16_384 },
];
/** Round trips of one side before the other takes its turn: short, so that both meet the same noise. */
const TURN = 40;
const TURNS = 4;
/** Round trips that do not count: a chain sends thousands, and the code on the way is compiled after some hundreds. */
const WARM = 500;
const TARGET = 1.5;

/** A hop's round trip against a bare RTCDataChannel between the same two tabs, and over WebSocket to the relay. */
export async function hopTrips(pool: Pool, relay: BenchRelay, rounds: number): Promise<Table> {
  const near = await BenchTab.open(pool);
  const far = await BenchTab.open(pool);
  try {
    await near.bareTo(far, 'pair');
    await far.page.evaluate(() => window.peer.echo());
    const rows: string[][] = [];
    for (const { name, bytes } of SIZES) {
      const sides = [
        (count: number) => near.bareTrips('pair', bytes, count),
        (count: number) => near.trips(far.address, bytes, count),
        (count: number) => near.trips(relay.peer, bytes, count),
      ];
      const taken: number[][] = sides.map(() => []);
      for (const trips of sides) await trips(WARM);
      for (let turn = 0; turn < rounds * TURNS; turn++)
        for (const [side, trips] of sides.entries()) taken[side]!.push(...(await trips(TURN)));
      const [bare, ours, socket] = taken.map(median) as [number, number, number];
      const ratio = ours / bare;
      rows.push([name, ms(bare), ms(ours), times(ratio), verdict(ratio, 'at most', TARGET), ms(socket)]);
    }
    const path = await near.page.evaluate((peer) => window.peer.path(peer), far.peer);
    if (path !== 'direct') throw new Error(`the two tabs are linked ${path}, not direct`);
    return {
      title: 'Round trip of a hop',
      header: ['frame', 'bare RTCDataChannel', 'our stream', 'ratio', 'target', 'WebSocket to the relay'],
      rows,
      notes: [
        `Medians of ${rounds * TURNS * TURN} round trips each, in turns of ${TURN} after ${WARM} that do not count, between two tabs in contexts of their own; the far end sends the same bytes back.`,
        'Our stream: libp2p over WebRTC, framed, bytes counted; the WebSocket is Noise and yamux to a relay in the process of the bench.',
      ],
    };
  } finally {
    await near.close();
    await far.close();
  }
}
