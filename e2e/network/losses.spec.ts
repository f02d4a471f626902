import { type Browser, expect, test } from '@playwright/test';
import { TestRelay } from './relay.ts';
import { Tab } from './tab.ts';

const QUESTION = {
  // A prompt of a few hundred tokens, so that a prefill takes long enough to be hit in its middle.
  messages: [
    {
      role: 'user' as 'user' | 'assistant',
      content: `${'The cat sat on the mat and looked at the sea. '.repeat(24)}What did the cat do?`,
    },
  ],
  max_tokens: 24,
};
const RANGES = [
  [2, 11],
  [11, 20],
  [20, 30],
] as const;

const STAGES = ['before the turn', 'in prefill', 'in mid-decode'] as const;
const ENDS = ['closed', 'crashed', 'frozen'] as const;

let relay: TestRelay;
let expected: string;
/** The answer to the question after that. */
let expectedNext: string;
/** Two hosts for each range: one runs, the other stands by. By peer id. */
const hosts = new Map<string, { tab: Tab; range: number }>();

test.describe.configure({ mode: 'serial' });
test.beforeAll(async ({ browser }) => {
  test.setTimeout(300_000);
  relay = await TestRelay.start('none');
  for (const range of [0, 1, 2, 0, 1, 2]) await open(browser, range);
  const client = await Tab.open(browser, relay.url);
  const first = await client.ask(QUESTION);
  const second = await client.ask(next(first.text));
  expect(first.shoal.recoveries + second.shoal.recoveries).toBe(0);
  expected = first.text;
  expectedNext = second.text;
  await client.close();
});
test.afterAll(async () => {
  await Promise.all([...hosts.values()].map(({ tab }) => tab.close()));
  await relay.close();
});

/**
 * Every hop is lost at every stage, every hop and every stage in every way: nine of the twenty-seven cases cover all
 * pairs. `SHOAL_LOSSES=all` runs them all, which takes a quarter of an hour; the simulator goes through them, and many
 * more, in every run of the tests.
 */
const all = process.env.SHOAL_LOSSES === 'all';

for (const [i, range] of RANGES.entries()) {
  for (const [j, stage] of STAGES.entries()) {
    for (const [k, how] of ENDS.entries()) {
      if (!all && (i + j + k) % ENDS.length !== 0) continue;
      const what = `hop ${i + 1} (layers ${range.join('–')}) ${how} ${stage}`;
      test(`${what}: the same text, and only its slice computes again`, ({ browser }) =>
        lose(browser, i, stage, how));
    }
  }
}

async function lose(
  browser: Browser,
  range: number,
  stage: (typeof STAGES)[number],
  how: (typeof ENDS)[number],
): Promise<void> {
  const before = await replayed();
  // A client of its own: no chain is left open from the test before.
  const client = await Tab.open(browser, relay.url);
  let peers: string[];
  if (stage === 'before the turn') {
    // A turn fills the caches; the next one of the same conversation finds a hop missing.
    const first = await client.ask(QUESTION);
    expect(first.text).toBe(expected);
    peers = first.shoal.hops.map(({ peer }) => peer);
  } else {
    await client.start('answer', QUESTION);
    ({ peers } = await client.reached('answer', stage === 'in prefill' ? 0 : 8));
  }
  const victim = peers[range]!;
  const { tab } = hosts.get(victim)!;
  hosts.delete(victim);
  await tab.end(how);
  const between = stage === 'before the turn';
  if (between) await client.start('answer', next(expected));
  const { text, shoal } = await client.finish('answer');
  const after = await replayed();
  await Promise.all([tab.close(), client.close()]);
  await open(browser, range);

  expect(text).toBe(between ? expectedNext : expected);
  expect(shoal.recoveries).toBe(1);
  const stand = shoal.hops[range]!.peer;
  expect(stand).not.toBe(victim);
  for (const [peer, positions] of after) {
    const more = positions - (before.get(peer) ?? 0);
    if (peer === stand) expect(more).toBeGreaterThan(stage === 'in prefill' ? 0 : 200);
    else expect(more).toBe(0);
  }
}

/** The same conversation, one question on. */
function next(answer: string): typeof QUESTION {
  const more = [
    { role: 'assistant' as const, content: answer },
    { role: 'user' as const, content: 'Say that again in other words.' },
  ];
  return { ...QUESTION, messages: [...QUESTION.messages, ...more] };
}

/** Opens a host in a browser context of its own. */
async function open(browser: Browser, range: number): Promise<void> {
  const tab = await Tab.open(browser, relay.url);
  const [start, end] = RANGES[range]!;
  hosts.set(await tab.share(start, end), { tab, range });
}

/** Positions that each host computed because another was lost. */
async function replayed(): Promise<Map<string, number>> {
  const counts = await Promise.all(
    [...hosts].map(async ([peer, { tab }]) => {
      const { self } = await tab.network();
      return [peer, self!.sharing!.counters.replayedPositions] as const;
    }),
  );
  return new Map(counts);
}
