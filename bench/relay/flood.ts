import { fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { median } from '../statistics.ts';
import { ms, type Table, times, verdict } from '../table.ts';
import { ask, promptOf } from './ask.ts';
import type { RelayUnderTest } from './process.ts';

/** The loopback network is a /8: the flood comes from one address of it, the victim from another. */
const VICTIM = '127.0.0.77';
const CHILD = fileURLToPath(new URL('flood-child.ts', import.meta.url));
const TOKENS = 16;

/** Another address’s latency while one address floods the relay with pages, questions and joins. */
export async function flood(relay: RelayUnderTest, rounds: number): Promise<Table> {
  const idle = await victim(relay, rounds, 0);
  const child = fork(CHILD, [relay.url], { execArgv: ['--import', 'tsx'] });
  // It would run on another machine; here it must not take the relay's share of the cores.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const tallies: Record<string, number>[] = [];
  child.on('message', (tally: Record<string, number>) => tallies.push(tally));
  // The first tally comes when the flood is at its height.
  await once(child, 'message');
  const flooded = await victim(relay, rounds, 1_000);
  child.kill('SIGTERM');
  await once(child, 'close');
  const row = (what: string, before: number[], under: number[]) => {
    const ratio = median(under) / median(before);
    return [what, ms(median(before)), ms(median(under)), `${times(ratio)} (${verdict(ratio, 'at most', 2)})`];
  };
  const total = tallies.at(-1) ?? {};
  return {
    title: 'A flood from one address, seen from another',
    header: ['what the other asks for', 'idle', 'under the flood', 'ratio'],
    rows: [
      row('the status page', idle.status, flooded.status),
      row('the page', idle.page, flooded.page),
      row('first token of an answer', idle.first, flooded.first),
      row(`a whole answer of ${TOKENS} tokens`, idle.total, flooded.total),
    ],
    notes: [
      `Medians of ${rounds} rounds. The flood runs in a process of its own, at low priority, on the same two cores: a part of what is seen here is its own work. While it ran: ${Object.entries(
        total,
      )
        .map(([name, count]) => `${count} ${name}`)
        .join(', ')}.`,
    ],
  };
}

interface Seen {
  status: number[];
  page: number[];
  first: number[];
  total: number[];
}

async function victim({ url }: RelayUnderTest, rounds: number, from: number): Promise<Seen> {
  const seen: Seen = { status: [], page: [], first: [], total: [] };
  for (let round = -1; round < rounds; round++) {
    const status = await timed(`${url}/status`);
    const page = await timed(`${url}/`);
    const answer = await ask({ url, from: VICTIM, prompt: promptOf(from + round + 1), tokens: TOKENS });
    // The first round warms up: connections, code, caches.
    if (round < 0) continue;
    seen.status.push(status);
    seen.page.push(page);
    seen.first.push(answer.firstMs);
    seen.total.push(answer.totalMs);
  }
  return seen;
}

async function timed(url: string): Promise<number> {
  const { get } = await import('node:http');
  const started = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { localAddress: VICTIM, agent: false }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - started);
        else reject(new Error(`${url} answered ${response.statusCode}`));
      });
      response.on('error', reject);
    }).on('error', reject);
  });
}
