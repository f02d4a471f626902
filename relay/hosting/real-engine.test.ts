import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChainOptions, openChain } from '../../src/chain/index.ts';
import { DEFAULT_SAMPLING } from '../../src/chat/index.ts';
import { openFixture } from '../../src/engine/testing/fixtures.ts';
import { parseManifest } from '../../src/model/index.ts';
import { systemClock } from '../../src/swarm/index.ts';
import { MemoryNetwork } from '../../src/swarm/testing/memory.ts';
import { prepareModel } from '../library.ts';
import type { ServedModel } from '../shelf.ts';
import { Hosting, type HostingOptions } from './hosting.ts';
import { RecordedLog } from './testing/recorded-log.ts';

const NAMES = ['qwen3', 'llama-tied'] as const;
const MINUTES = 120_000;
let data: string;
let models: ServedModel[];

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'shoal-real-hosting-'));
  const path = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
  models = [];
  for (const name of NAMES) models.push(await prepareModel(path(name), data));
});
afterAll(() => rm(data, { recursive: true }));

function start(network: MemoryNetwork, config: Partial<HostingOptions['config']>) {
  const log = new RecordedLog();
  const hosting = new Hosting({
    config: { layers: 'auto', memory: 2e8, devices: ['auto'], threads: 1, sessions: 8, ...config },
    log,
  });
  const transport = network.join('relay');
  hosting.start({ transport, directory: network.directory('relay'), clock: systemClock });
  for (const model of models) hosting.add(model);
  return { hosting, log, transport };
}

let ids = 0;

/** The greedy text of a chain whose layers, ends and sampler are all with others. */
async function say(
  model: ServedModel,
  prompt: readonly number[],
  steps: number,
  where: Pick<ChainOptions, 'transport' | 'directory'> & Partial<ChainOptions>,
): Promise<number[]> {
  const chain = await openChain({
    ...where,
    clock: systemClock,
    manifest: await parseManifest(model.manifest, model.cid),
    cid: model.cid,
    privacy: 'light',
    parts: { front: null, head: null },
    agent: 'test/1',
    randomId: () => (++ids).toString(16).padStart(64, '0'),
  });
  const session = await chain.open();
  const said: number[] = [];
  let tokens = [...prompt];
  while (said.length < steps) {
    const sampling = { ...DEFAULT_SAMPLING, temperature: 0, seed: 1 };
    const sample = { sampling, drawn: said.length, history: [...prompt, ...said] };
    const { token } = await chain.forward(session, { tokens }, { sample });
    said.push(token!);
    tokens = [token!];
  }
  await chain.close(session);
  await chain.dispose();
  return said;
}

it(
  'two models lent by one relay say what PyTorch says, within what was estimated for them',
  async () => {
    const network = new MemoryNetwork();
    const { hosting, log } = start(network, {});
    for (const { name } of models) await log.heard(`of ${name} to the network`);
    const client = { transport: network.join('client'), directory: network.directory('client') };
    for (const [at, name] of NAMES.entries()) {
      const { expected } = await openFixture(name);
      const said = await say(models[at]!, expected.prompt, expected.greedy.length, client);
      expect(said).toEqual(expected.greedy);
    }
    for (const { fields } of log.lines.filter(({ message }) => message.startsWith('Layers are loaded')))
      expect(fields.weights).toBe(fields.estimated);
    await hosting.close('the test is over');
  },
  MINUTES,
);

it(
  'a relay that lends nothing answers for itself with layers that nobody else sees',
  async () => {
    const network = new MemoryNetwork();
    const { hosting, transport } = start(network, { layers: 'none', devices: ['cpu'] });
    const { expected } = await openFixture(NAMES[0]);
    const all = { start: 0, end: models[0]!.layers };
    expect(await hosting.ensure(models[0]!.cid, all, new AbortController().signal)).toBe(true);
    const own = { transport, directory: network.directory('relay'), only: [transport.self] };
    const said = await say(models[0]!, expected.prompt, 8, own);
    expect(said).toEqual(expected.greedy.slice(0, 8));
    const client = { transport: network.join('client'), directory: network.directory('client') };
    await expect(say(models[0]!, expected.prompt, 1, client)).rejects.toMatchObject({ code: 'no-cover' });
    await hosting.close('the test is over');
  },
  MINUTES,
);
