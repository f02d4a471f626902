import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from '@playwright/test';
import { launchChromium } from '../e2e/lab/launch.ts';
import { Tab } from '../e2e/network/tab.ts';
import { SlowLine } from '../e2e/slow-line.ts';
import { buildPage } from '../relay/build.ts';
import type { CompletionParameters } from '../src/sdk/index.ts';
import { modelPath } from './model.ts';
import { startRelayProcess } from './relay/process.ts';
import { median } from './statistics.ts';
import { type Table, times } from './table.ts';

const LINE = { bitsPerSecond: 10_000_000, roundTripMs: 40 };
/** Each takes up to two minutes, most of which is the line's and does not vary. */
const ROUNDS = 3;
const SLICES = [
  [0, 12],
  [12, 21],
  [21, 30],
] as const;
/** Room for the embedding and the head, which light mode runs at the hosts. */
const MEMORY = 2 ** 30;

const WAYS: { name: string; ask: Partial<CompletionParameters> }[] = [
  { name: 'over the network, light', ask: { while_loading: 'network', privacy: 'light' } },
  { name: 'over the network, private', ask: { while_loading: 'network', privacy: 'private' } },
  { name: 'in the tab, when the model is here', ask: { route: 'local' } },
];

interface Visit {
  /** Milliseconds from the address being opened. */
  firstTokenMs: number;
  /** Bytes that came down the line until then. */
  bytes: number;
}

/** A first visit with nothing cached over a slow line: how soon the first word, and what it took. */
export async function coldBench(say: (line: string) => void): Promise<Table> {
  await buildPage(fileURLToPath(new URL('..', import.meta.url)), { log: say });
  const data = await mkdtemp(join(tmpdir(), 'shoal-bench-'));
  const relay = await startRelayProcess(data, ['--model', modelPath(), '--layers', 'none']);
  const browser = await launchChromium();
  try {
    await Promise.all(
      SLICES.map(async ([start, end]) => (await Tab.open(browser, relay.url)).share(start, end, MEMORY)),
    );
    const visits = WAYS.map((): Visit[] => []);
    for (let round = 0; round < ROUNDS; round++)
      for (const [way, { name, ask }] of WAYS.entries()) {
        say(`a first visit, ${name}, ${round + 1} of ${ROUNDS}`);
        visits[way]!.push(await visit(browser, relay.url, ask));
      }
    return table(visits);
  } finally {
    await browser.close();
    await relay.process.stop();
    await rm(data, { recursive: true, force: true });
  }
}

async function visit(browser: Browser, relay: string, ask: Partial<CompletionParameters>): Promise<Visit> {
  const line = await SlowLine.to(relay, LINE);
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(line.url);
    const firstTokenMs = await page.evaluate(async (ask) => {
      const chunks = await window.shoal.chat.completions.create({
        messages: [{ role: 'user', content: 'What is the capital of France?' }],
        temperature: 0,
        max_tokens: 8,
        ...ask,
        stream: true,
      });
      for await (const { shoal } of chunks) {
        const wanted = ask.route ?? 'network';
        if (shoal.route !== wanted)
          throw new Error(`the ${shoal.route} route answered, not the ${wanted} one`);
        // Counted from when the page was asked for.
        if (shoal.token_ids.length > 0) return performance.now();
      }
      throw new Error('the answer ended without a token');
    }, ask);
    return { firstTokenMs, bytes: line.received };
  } finally {
    await context.close();
    await line.close();
  }
}

function table(visits: readonly Visit[][]): Table {
  const medians = visits.map((all) => ({
    ms: median(all.map(({ firstTokenMs }) => firstTokenMs)),
    bytes: median(all.map(({ bytes }) => bytes)),
  }));
  const wait = medians.at(-1)!;
  return {
    title: 'A first visit with an empty cache over 10 Mbit/s',
    header: [
      'how the first question is answered',
      'first token',
      'times faster',
      'loaded until then',
      'of waiting',
    ],
    rows: WAYS.map(({ name }, way) => {
      const { ms, bytes } = medians[way]!;
      return [
        name,
        `${(ms / 1000).toFixed(1)} s`,
        times(wait.ms / ms),
        `${(bytes / 1e6).toFixed(1)} MB`,
        times(bytes / wait.bytes),
      ];
    }),
    notes: [
      `Medians of ${ROUNDS} visits each, in turn, in a browser context of their own; the question is asked as soon as the page can take it, and time runs from its address being opened. Three tabs on this machine hold the layers; their links to the visitor are not slowed.`,
      `The line is a proxy of ${LINE.bitsPerSecond / 1e6} Mbit/s each way and ${LINE.roundTripMs} ms there and back, for all connections to the relay together; bytes are those that came down it, what the page fetches beside included.`,
    ],
  };
}
