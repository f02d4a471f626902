import { randomBytes } from 'node:crypto';
import { type Chain, openChain } from '../../src/chain/index.ts';
import { ChatTemplate, Tokenizer } from '../../src/chat/index.ts';
import type { Engine, LoadOptions } from '../../src/engine/index.ts';
import { loadEngine } from '../../src/engine/node.ts';
import { createHost, type Host } from '../../src/host/index.ts';
import { manifestCid, readTokenizer, type Slice } from '../../src/model/index.ts';
import { sourcesFrom } from '../../src/model/node.ts';
import { FRONT_LAYERS, systemClock } from '../../src/swarm/index.ts';
import { MemoryNetwork } from '../../src/swarm/testing/memory.ts';
import type { HiddenType } from '../../src/wire/index.ts';
import { modelPath, wholeModel } from '../model.ts';
import { percent, type Table } from '../table.ts';
import { compareTokens } from './agree.ts';
import { type GreedyRun, greedyRun } from './greedy.ts';

const PROMPTS = [
  'What is the capital of France?',
  'Write a short poem about the sea.',
  'Explain why the sky is blue.',
  'List five fruits.',
  'Tell me a story about a dog.',
];
const TOKENS = 64;
const HOPS = 3;
const TYPES: readonly HiddenType[] = ['fp32', 'fp16', 'int8'];
// More threads only wait for each other: a step is too short.
const THREADS = 1;
const MAX_TOKENS = 256;
const MEMORY = 1024 * 1024 * 1024;

/** How often a smaller form on the wire changes the choice of a token, and what it saves. */
export async function wireTypes(): Promise<Table> {
  const model = await wholeModel();
  const prompts = await encodePrompts(model.manifest);
  const network = new MemoryNetwork();
  const client = network.join('client');
  const bytesOut = () =>
    [client, ...hosts.map(({ peer }) => network.find(peer)!)]
      .flatMap((transport) => transport.links())
      .reduce((sum, link) => sum + link.bytesOut, 0);
  const hosts = await lendAll(network, model);
  const front = await load(model, { start: 0, end: FRONT_LAYERS, embed: true, head: false });
  const { layers } = model.manifest.config;
  const head = await load(model, { start: layers, end: layers, embed: false, head: true });
  try {
    let lossless: number[][] = [];
    const rows: string[][] = [];
    for (const dtype of TYPES) {
      const chain: Chain = await openChain({
        ...{ transport: client, directory: network.directory('client'), clock: systemClock, dtype },
        ...{ manifest: model.manifest, cid: await manifestCid(model.manifest), privacy: 'private' },
        parts: { front, head },
        agent: 'shoal-bench/0',
        randomId: () => randomBytes(32).toString('hex'),
      });
      const chosen: number[][] = [];
      const perStep: number[] = [];
      for (const [i, prompt] of prompts.entries()) {
        let prompted = 0;
        const run: GreedyRun = await greedyRun(chain, prompt, TOKENS - 1, {
          feed: lossless[i],
          onToken: (count) => {
            if (count === 1) prompted = bytesOut();
            return true;
          },
        });
        perStep.push((bytesOut() - prompted) / (TOKENS - 1));
        chosen.push(run.tokens);
      }
      await chain.dispose();
      if (dtype === 'fp32') lossless = chosen;
      const { equal, all, wholeAnswers } = compareTokens(lossless, chosen);
      const bytes = perStep.reduce((sum, value) => sum + value, 0) / perStep.length;
      rows.push([
        dtype,
        `${Math.round(bytes)} B`,
        `${equal} of ${all}`,
        percent(equal / all),
        `${wholeAnswers} of ${prompts.length}`,
      ]);
    }
    return {
      title: 'Smaller hidden states on the wire',
      header: ['type', 'sent per token', 'equal tokens', 'share', 'whole answers equal'],
      rows,
      notes: [
        `${PROMPTS.length} prompts, ${TOKENS} greedy tokens each, through a chain of ${HOPS} hosts in Node at exact arithmetic. Each choice is made after the lossless tokens before it, so that one difference counts once.`,
        `Bytes are those of all ${HOPS + 1} frames of a step. The default is fp32, which changes nothing.`,
      ],
    };
  } finally {
    for (const { host } of hosts) await host.close('the bench is over');
    for (const engine of [front, head]) await engine.dispose();
  }
}

type Model = Pick<LoadOptions, 'manifest' | 'weights'>;

function load({ manifest, weights }: Model, slice: Slice): Promise<Engine> {
  return loadEngine({
    ...{ manifest, weights, slice },
    arithmetic: 'exact',
    threads: THREADS,
    maxTokens: MAX_TOKENS,
    measure: false,
  });
}

async function lendAll(network: MemoryNetwork, model: Model): Promise<{ peer: string; host: Host }[]> {
  const { layers } = model.manifest.config;
  const cid = await manifestCid(model.manifest);
  const at = (i: number) => FRONT_LAYERS + Math.round(((layers - FRONT_LAYERS) * i) / HOPS);
  const hosts: { peer: string; host: Host }[] = [];
  for (let hop = 0; hop < HOPS; hop++) {
    const peer = `host${hop + 1}`;
    const host = createHost({
      transport: network.join(peer),
      directory: network.directory(peer),
      clock: systemClock,
      agent: 'shoal-bench/0',
    });
    const [start, end] = [at(hop), at(hop + 1)];
    await host.lend({
      ...{ cid, layers, start, end, main: { start, end, embed: false, head: false } },
      load: (part) => load(model, part),
      memoryBudget: MEMORY,
    });
    hosts.push({ peer, host });
  }
  return hosts;
}

async function encodePrompts(manifest: Model['manifest']): Promise<number[][]> {
  const sources = await sourcesFrom(modelPath());
  const spec = await readTokenizer(manifest, { sources: [sources] });
  await Promise.all(sources.map((source) => source.close?.()));
  if (!spec) throw new Error('the default model has no tokenizer');
  const tokenizer = new Tokenizer(spec);
  const template = new ChatTemplate(manifest.chatTemplate);
  return PROMPTS.map((content) => template.encode([{ role: 'user', content }], tokenizer));
}
