import type { Side } from './side.ts';
import { interleave, median } from './statistics.ts';
import { ms, type Table, times } from './table.ts';

const SHORT = 128;
const LONG = 1984;
const STEPS = 16;

/** How much slower a step gets as its context grows. */
export async function growth(title: string, sides: readonly Side[], rounds: number): Promise<Table> {
  const short = await interleave(sides, rounds, SHORT, STEPS);
  const long = await interleave(sides, rounds, LONG, STEPS);
  const decode = (results: (typeof short)[number]) => median(results.map(({ decodeMs }) => decodeMs));
  return {
    title,
    header: ['side', `decode at ${SHORT}`, `decode at ${LONG + STEPS}`, 'grows by'],
    rows: sides.map(({ name }, index) => [
      name,
      ms(decode(short[index]!)),
      ms(decode(long[index]!)),
      `${times(decode(long[index]!) / decode(short[index]!))} times`,
    ]),
    notes: [`${rounds} rounds, sides in turn; a prompt of that length and ${STEPS} steps after it.`],
  };
}
