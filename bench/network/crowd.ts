import { median } from '../statistics.ts';
import { type Table, times } from '../table.ts';
import type { ChainLab } from './chain-lab.ts';
import { promptOf } from './speed.ts';
import { BenchTab } from './tab.ts';

const CLIENTS = 8;
/** Short: steps are what is shared, not prompts. */
const PROMPT = 4;
const STEPS = 16;

/** Eight clients at once over one chain of three tabs, against one of them alone. */
export async function crowd(lab: ChainLab, rounds: number): Promise<Table> {
  const others: BenchTab[] = [];
  try {
    while (others.length < CLIENTS - 1) others.push(await BenchTab.client(lab.pool));
    const clients = [lab.client, ...others];
    // One after the other first: to make 21 links at once is another matter than to use them.
    for (const client of clients) {
      await client.openChain(lab.chain);
      await client.run({ prompt: promptOf(lab, PROMPT), steps: 1 });
    }
    const alone: Round[] = [];
    const together: Round[] = [];
    for (let i = 0; i < rounds; i++) {
      alone.push(await round(lab, [clients[i % CLIENTS]!]));
      together.push(await round(lab, clients));
    }
    const [one, all] = [alone, together].map((rows) => median(rows.map(({ rate }) => rate))) as [
      number,
      number,
    ];
    return {
      title: `${CLIENTS} clients at once over one chain`,
      header: ['one client', `${CLIENTS} clients, all together`, 'times one’s', 'shared runs'],
      rows: [
        [
          `${one.toFixed(1)} tokens/s`,
          `${all.toFixed(1)} tokens/s`,
          times(all / one),
          String(median(together.map(({ shared }) => shared))),
        ],
      ],
      notes: [
        `${rounds} rounds, one and all in turn: a prompt of ${PROMPT} tokens and ${STEPS} steps each, counted from the first client’s first step to the last one’s last. Each client is a tab of its own with embedding, front layers and head.`,
        'Shared runs: runs of the hops’ engines in one round of all clients that computed steps of several of them at once. Eleven tabs share two cores here, and the clients’ own parts are never shared.',
      ],
    };
  } finally {
    await Promise.all(others.map((tab) => tab.close()));
  }
}

interface Round {
  /** Tokens per second of all clients together. */
  rate: number;
  /** Runs of the engines that served more than one session. */
  shared: number;
}

async function round(lab: ChainLab, clients: readonly BenchTab[]): Promise<Round> {
  const before = await sharedRuns(lab);
  const runs = await Promise.all(
    clients.map((client, i) => client.run({ prompt: promptOf(lab, PROMPT, 1000 * i), steps: STEPS })),
  );
  const after = await sharedRuns(lab);
  const start = Math.min(...runs.map(({ startedAt }) => startedAt));
  const end = Math.max(...runs.map(({ endedAt }) => endedAt));
  const tokens = clients.length * STEPS;
  return {
    rate: (1000 * tokens) / (end - start),
    shared: after - before,
  };
}

/** Runs of all hosts’ engines that served more than one session, so far. */
async function sharedRuns(lab: ChainLab): Promise<number> {
  const all = await Promise.all(
    lab.hosts.flat().map((host) => host.page.evaluate(() => window.peer.counters().sharedRuns)),
  );
  return all.reduce((sum, runs) => sum + runs, 0);
}
