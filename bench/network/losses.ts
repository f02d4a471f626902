import { median } from '../statistics.ts';
import { ms, type Table, verdict } from '../table.ts';
import { type ChainLab, HOPS } from './chain-lab.ts';
import { promptOf } from './speed.ts';

const PROMPT = 128;
/** Tokens before the loss. */
const BEFORE = 6;
/** Tokens of the undisturbed answer: the loss comes well before their end. */
const COMPARED = 40;
/** Enough for the slowest notice of a loss. */
const STEPS = 300;
const WAYS = [
  { how: 'closed', target: 1500 },
  { how: 'frozen', target: 4000 },
] as const;

interface Loss {
  /** Milliseconds of the step in which the hop was replaced. */
  gap: number;
  /** Of them, the stand-in's engine: the lost slice once more. */
  replay: number;
  /** What the chain itself says. */
  pause: number;
  /** The tokens so far, the one after the loss included, are those of an answer without it. */
  same: boolean;
}

/** Each hop lost in the middle of an answer: how much longer than its slice's prefill the answer stops. */
export async function losses(lab: ChainLab, rounds: number): Promise<Table> {
  const rows: string[][] = [];
  await lab.client.openChain(lab.chain);
  const expected = await lab.client.run({ prompt: promptOf(lab, PROMPT), steps: COMPARED });
  const seen = new Map<string, Loss[]>();
  for (let round = 0; round < rounds; round++)
    for (const { how } of WAYS) {
      await lab.standBy();
      for (let hop = 0; hop < HOPS; hop++) {
        const name = nameOf(hop, how);
        seen.set(name, [...(seen.get(name) ?? []), await lose(lab, hop, how, expected.tokens)]);
      }
    }
  for (const { how, target } of WAYS)
    for (let hop = 0; hop < HOPS; hop++) {
      const name = nameOf(hop, how);
      const all = seen.get(name)!;
      const of = (what: (loss: Loss) => number) => median(all.map(what));
      const overhead = of(({ gap, replay }) => gap - replay);
      rows.push([
        name,
        ms(of(({ gap }) => gap)),
        ms(of(({ replay }) => replay)),
        ms(overhead),
        verdict(overhead, 'at most', target),
        ms(of(({ pause }) => pause)),
        `${all.filter(({ same }) => same).length} of ${all.length}`,
      ]);
    }
  return {
    title: 'A hop lost in mid-answer',
    header: [
      'what',
      'longest step',
      'of it replay',
      'overhead',
      'target in ms',
      'after it was noticed',
      'same tokens',
    ],
    rows,
    notes: [
      `Medians of ${rounds} losses each, ${PROMPT} + ${BEFORE} tokens or a few more into the answer; another tab that holds the same layers takes over.`,
      'The longest step is the time between two tokens as the client sees it, with the notice of the loss and the ordinary work of a step in it; the replay is what the stand-in’s engine took for the lost slice’s positions.',
      'A frozen tab is one whose main thread spins: here that takes one of the cores from the others.',
    ],
  };
}

function nameOf(hop: number, how: string): string {
  return `hop ${hop + 1} ${how}`;
}

async function lose(
  lab: ChainLab,
  hop: number,
  how: 'closed' | 'frozen',
  expected: readonly number[],
): Promise<Loss> {
  const { client } = lab;
  const [victim, standIn] = lab.hosts[hop]!;
  const before = await standIn!.computeMs();
  await client.openChain(lab.chain);
  await client.start({ prompt: promptOf(lab, PROMPT), steps: STEPS, untilRecovered: true });
  await client.reached(BEFORE);
  await victim!.end(how);
  const run = await client.finish();
  const replay = (await standIn!.computeMs()) - before;
  if (how === 'frozen') await victim!.close();
  lab.hosts[hop]!.shift();
  const [recovered] = run.recovered;
  if (!recovered) throw new Error(`hop ${hop + 1} was ${how} and the answer ended without it being replaced`);
  if (run.peers[hop] !== standIn!.peer) throw new Error('a tab that was not meant to took over');
  return {
    gap: Math.max(...run.stepMs),
    replay,
    pause: recovered.pauseMs,
    same: run.tokens.every((token, i) => i >= expected.length || token === expected[i]),
  };
}
