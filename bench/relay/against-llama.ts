import { modelPath } from '../model.ts';
import { median } from '../statistics.ts';
import { ms, type Table, times } from '../table.ts';
import { ask, promptOf } from './ask.ts';
import { llamaServer } from './llama-server.ts';
import { freePort, Measured, type RelayUnderTest } from './process.ts';

const TOKENS = 32;
const CROWD = 8;
const THREADS = 2;

/** Tokens per second of all clients together, and the median first token in milliseconds. */
interface Round {
  rate: number;
  firstMs: number;
}

/** The relay's API on its own slices against llama.cpp's server: the same file, prompts, tokens and threads. */
export async function againstLlama(
  relay: RelayUnderTest,
  rounds: number,
  say: (line: string) => void,
): Promise<Table> {
  const peer = await startLlama(say);
  try {
    const rows: string[][] = [];
    for (const clients of [1, CROWD]) {
      const ours: Round[] = [];
      const theirs: Round[] = [];
      for (let round = -1; round < rounds; round++) {
        const number = 10_000 * clients + 100 * (round + 1);
        const own = await together(relay.url, clients, number, { route: 'own' });
        // Without this it would keep the prompt's cache, and ours is a new conversation too.
        const llama = await together(peer.url, clients, number, { cache_prompt: false });
        if (round < 0) continue;
        ours.push(own);
        theirs.push(llama);
      }
      const rate = (side: Round[]) => median(side.map((one) => one.rate));
      const first = (side: Round[]) => median(side.map((one) => one.firstMs));
      rows.push([
        String(clients),
        `${rate(ours).toFixed(1)} tokens/s`,
        `${rate(theirs).toFixed(1)} tokens/s`,
        times(rate(ours) / rate(theirs)),
        ms(first(ours)),
        ms(first(theirs)),
        times(first(theirs) / first(ours)),
      ]);
    }
    return {
      title: 'The relay’s API on the CPU against llama.cpp’s server',
      header: [
        'clients',
        'Shoal',
        'llama.cpp',
        'ratio',
        'Shoal, first token',
        'llama.cpp, first token',
        'ratio',
      ],
      rows,
      notes: [
        `The same Q4_1 file, ${THREADS} threads each, greedy, prompts of about 100 tokens without any cache, ${TOKENS} tokens of answer, ${rounds} rounds in turn; ${CROWD} places in llama.cpp’s server, which runs with --no-repack: its AMX kernels crashed in the virtual machine where this was measured first. Ratios above 1 mean that Shoal is faster. The tokens per second are of whole answers, prompts included.`,
        'Reasons for the difference: Shoal computes exactly, in float32, so that a chain of peers gives the same text as one machine, where llama.cpp rounds activations to int8 (as our fast arithmetic in the Node table above does); each token passes two worker threads and the key-value cache is copied by the Node binding; the page, the relay and the API share the process.',
      ],
    };
  } finally {
    await peer.process.stop();
  }
}

async function together(
  url: string,
  clients: number,
  number: number,
  extra: Record<string, unknown>,
): Promise<Round> {
  const started = performance.now();
  const asked = await Promise.all(
    Array.from({ length: clients }, (_, i) =>
      // An address each: eight clients of one address would wait for each other at the relay.
      ask({ url, prompt: promptOf(number + i), tokens: TOKENS, from: `127.0.0.${10 + i}`, extra }),
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  return {
    rate: asked.reduce((sum, { tokens }) => sum + tokens, 0) / seconds,
    firstMs: median(asked.map(({ firstMs }) => firstMs)),
  };
}

async function startLlama(say: (line: string) => void): Promise<{ url: string; process: Measured }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = new Measured(await llamaServer(say), [
    ...['--model', modelPath(), '--host', '127.0.0.1', '--port', String(port)],
    ...['--threads', String(THREADS), '--threads-batch', String(THREADS)],
    // Repacked weights take the AMX kernels, which crash where a virtual machine announces AMX and does not allow it.
    ...['--parallel', String(CROWD), '--ctx-size', String(CROWD * 1024), '--no-webui', '--no-repack'],
  ]);
  await server.until(async () => (await fetch(`${url}/health`)).status === 200);
  return { url, process: server };
}
