import type { Side } from './side.ts';
import { interleave, median, speedRatio } from './statistics.ts';
import { ms, type Table, times, verdict } from './table.ts';

export const PROMPT_TOKENS = 128;
const STEPS = 24;

export interface Targets {
  decode: number;
  prefill: number;
}

/**
 * Our sides against a peer, in turn.
 * @param targets per side of ours; null where none was promised
 */
export async function compare(
  title: string,
  ours: readonly { side: Side; targets: Targets | null }[],
  peer: Side,
  rounds: number,
): Promise<Table> {
  const sides = [...ours.map(({ side }) => side), peer];
  const results = await interleave(sides, rounds, PROMPT_TOKENS, STEPS);
  const peerResults = results.at(-1)!;
  const rows: string[][] = [];
  for (const [index, { side, targets }] of ours.entries())
    for (const what of ['decode', 'prefill'] as const) {
      const key = what === 'decode' ? 'decodeMs' : 'prefillMs';
      const mine = results[index]!.map((measured) => measured[key]);
      const theirs = peerResults.map((measured) => measured[key]);
      const ratio = speedRatio(mine, theirs);
      rows.push([
        side.name,
        what === 'decode' ? what : `prefill(${PROMPT_TOKENS})`,
        ms(median(mine)),
        ms(median(theirs)),
        times(ratio.ofMedians),
        times(ratio.perPair),
        targets ? verdict(ratio.ofMedians, 'at least', targets[what]) : '–',
      ]);
    }
  return {
    title,
    header: ['side', 'what', 'per token', peer.name, 'times as fast', 'median of pairs', 'target'],
    rows,
    notes: [
      `${rounds} rounds, sides in turn; each round is a prompt of ${PROMPT_TOKENS} tokens and ${STEPS} steps after it.`,
    ],
  };
}
