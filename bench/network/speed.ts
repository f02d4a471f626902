import { CHAIN_LIMITS } from '../../src/chain/index.ts';
import { tokenAt } from '../side.ts';
import { median } from '../statistics.ts';
import { ms, type Table, times, verdict } from '../table.ts';
import { type ChainLab, HOPS } from './chain-lab.ts';

const STEPS = 32;
const PROMPT = 64;
const TRIPS = 100;
const TARGET = 1.25;
const LONG_PROMPT = 512;

/** Token ids for a run whose text does not matter. */
export function promptOf({ pool }: ChainLab, length: number, from = 0): number[] {
  const { vocabulary } = pool.model.manifest.config;
  return Array.from({ length }, (_, i) => tokenAt(from + i, vocabulary));
}

/** Time per token of the chain, against the work in its engines and bare trips. */
export async function tokenTime(lab: ChainLab, rounds: number): Promise<Table> {
  const { client, hosts, pool } = lab;
  await client.bareTo(hosts[0]![0]!, 'hop');
  await client.openChain(lab.chain);
  const rowBytes = pool.model.manifest.config.width * 4;
  const step: number[] = [];
  const compute: number[] = [];
  const trip: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const bare = await client.bareTrips('hop', rowBytes, TRIPS);
    const run = await client.run({ prompt: promptOf(lab, PROMPT), steps: STEPS });
    if (round < 0) continue;
    trip.push(...bare);
    step.push(...run.stepMs);
    compute.push(...run.stepComputeMs);
  }
  const trips = ((HOPS + 1) / 2) * median(trip);
  const ratio = median(step) / (median(compute) + trips);
  return {
    title: `Time per token of a chain of ${HOPS} tabs`,
    header: ['per token', 'compute', 'bare trips', 'compute + trips', 'ratio', 'target'],
    rows: [
      [
        ms(median(step)),
        ms(median(compute)),
        ms(trips),
        ms(median(compute) + trips),
        times(ratio),
        verdict(ratio, 'at most', TARGET),
      ],
    ],
    notes: [
      `${rounds} rounds of ${STEPS} steps; compute is the sum that the engines report in the frames: the client’s embedding, front layers and head, and ${HOPS} slices, one WASM thread each.`,
      `Bare trips: ${HOPS + 1} halves of the round trip of a bare RTCDataChannel at ${rowBytes} bytes, a row of float32, in the same rounds.`,
      'Only one tab computes at a time, but all share two cores with the browser’s own processes: the rest is hand-overs between main thread, worker and wire.',
    ],
  };
}

/** The same prompt with chunks overlapping along the chain, one at a time, and whole. */
export async function prefillOverlap(lab: ChainLab, rounds: number): Promise<Table> {
  const ways = [
    { name: `overlap: chunks of ${CHAIN_LIMITS.chunk}, as shipped`, limits: {} },
    // As many chunks as hops, and the window beyond them, come to one.
    { name: 'one chunk on the way at a time', limits: { window: 1 - HOPS } },
    { name: 'the whole prompt as one chunk', limits: { chunk: LONG_PROMPT } },
  ];
  const taken: number[][] = ways.map(() => []);
  const prompt = promptOf(lab, LONG_PROMPT);
  for (let round = 0; round < rounds; round++)
    for (const [i, { limits }] of ways.entries()) {
      await lab.client.openChain({ ...lab.chain, limits });
      const { prefillMs } = await lab.client.run({ prompt, steps: 0 });
      taken[i]!.push(prefillMs);
    }
  const [overlapped] = taken.map(median);
  return {
    title: `Prefill of ${LONG_PROMPT} tokens over ${HOPS} tabs`,
    header: ['way', 'prompt', 'times the shipped one’s'],
    rows: ways.map(({ name }, i) => [name, ms(median(taken[i]!)), times(median(taken[i]!) / overlapped!)]),
    notes: [
      `${rounds} rounds, the ways in turn. ${HOPS + 1} tabs could work at once and two cores are here, so the gain is at most 2 on this machine; on ${HOPS + 1} devices it is not capped by that.`,
    ],
  };
}
