import { KeyFile } from '../../relay/api/keys.ts';
import { median } from '../statistics.ts';
import { ms, type Table, times, verdict } from '../table.ts';
import { type Asked, ask, promptOf } from './ask.ts';
import type { RelayUnderTest } from './process.ts';
import { quantile } from './quantile.ts';

const CLIENTS = 64;
/** Questions of each client, one after another. */
const QUESTIONS = 3;
const TOKENS = 24;

/** 64 clients with a key each ask at once, three times one after another. */
export async function manyClients(relay: RelayUnderTest): Promise<Table> {
  const file = await KeyFile.open(relay.data);
  const keys: string[] = [];
  for (let i = 0; i < CLIENTS; i++) keys.push((await file.add({ name: `bench ${i}` })).key);
  const errors: string[] = [];
  const client = async (key: string, number: number) => {
    const started = performance.now();
    const asked: Asked[] = [];
    for (let i = 0; i < QUESTIONS; i++) {
      const prompt = promptOf(number * QUESTIONS + i);
      await ask({ url: relay.url, key, prompt, tokens: TOKENS }).then(
        (one) => asked.push(one),
        (error: unknown) => errors.push(String(error)),
      );
    }
    return { asked, totalMs: performance.now() - started };
  };
  const alone = await client(keys[0]!, CLIENTS);
  const started = performance.now();
  const all = await Promise.all(keys.map(client));
  const seconds = (performance.now() - started) / 1000;
  const firsts = all.flatMap(({ asked }) => asked.map(({ firstMs }) => firstMs));
  const totals = all.map(({ totalMs }) => totalMs);
  const tokens = all.flatMap(({ asked }) => asked).reduce((sum, one) => sum + one.tokens, 0);
  const fairness = Math.max(...totals) / median(totals);
  const aloneTokens = alone.asked.reduce((sum, one) => sum + one.tokens, 0);
  return {
    title: `The relay’s API: ${CLIENTS} clients at once`,
    header: [
      'first token p50',
      'p99',
      'one client alone, p50',
      'slowest ÷ median client',
      'errors',
      'tokens/s',
      'times one client’s',
    ],
    rows: [
      [
        ms(median(firsts)),
        ms(quantile(firsts, 0.99)),
        ms(median(alone.asked.map(({ firstMs }) => firstMs))),
        `${times(fairness)} (${verdict(fairness, 'at most', 2)})`,
        `${errors.length}${errors[0] ? `: ${errors[0].slice(0, 80)}` : ''}`,
        (tokens / seconds).toFixed(1),
        times(tokens / seconds / (aloneTokens / (alone.totalMs / 1000))),
      ],
    ],
    notes: [
      `Each client has a key and asks ${QUESTIONS} questions of about 50 words, ${TOKENS} tokens each, streamed; the clients are in this process, the relay in its own, and both share two cores. The relay gives at most 32 answers at once; the others wait in its queue, and that wait is in these times.`,
    ],
  };
}
