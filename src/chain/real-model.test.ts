import { afterAll, describe, expect, test } from 'vitest';
import { DEFAULT_SAMPLING, Sampler, sampleAsSent } from '../chat/index.ts';
import type { Engine } from '../engine/index.ts';
import { loadSlice, nodePlatform } from '../engine/node.ts';
import { FIXTURES, type FixtureName, openFixture } from '../engine/testing/fixtures.ts';
import { createHost, type Host } from '../host/index.ts';
import type { Manifest } from '../model/index.ts';
import { systemClock } from '../swarm/index.ts';
import { MemoryNetwork } from '../swarm/testing/memory.ts';
import type { Part } from '../wire/index.ts';
import { type Chain, openChain } from './index.ts';
import type { Privacy } from './types.ts';

const TOKENS = 128;
const COUNT = 24;
const CID = 'tiny';
const ends: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

/** Hosts of real engines on a network of this process, and what one engine alone says. */
class RealWorld {
  readonly network = new MemoryNetwork();
  readonly hosts = new Map<string, Host>();
  #ids = 0;

  private constructor(
    readonly manifest: Manifest,
    readonly load: (part: Part) => Promise<Engine>,
    readonly whole: Engine,
    readonly parts: { front: Engine; head: Engine },
  ) {}

  static async open(name: FixtureName): Promise<RealWorld> {
    const { manifest, weights } = await openFixture(name);
    const load = async (slice: Part) => {
      const options = { manifest, weights, slice, maxTokens: TOKENS, measure: false };
      const engine = await loadSlice(nodePlatform, options);
      ends.push(() => engine.dispose());
      return engine;
    };
    const { layers } = manifest.config;
    const whole = await load({ start: 0, end: layers, embed: true, head: true });
    const front = await load({ start: 0, end: 1, embed: true, head: false });
    const head = await load({ start: layers, end: layers, embed: false, head: true });
    return new RealWorld(manifest, load, whole, { front, head });
  }

  async host(peer: string, start: number, end: number): Promise<void> {
    const transport = this.network.join(peer);
    const directory = this.network.directory(peer);
    const host = createHost({
      transport,
      directory,
      clock: systemClock,
      agent: 'test/1',
      sample: sampleAsSent,
    });
    ends.push(() => host.close('the test is over'));
    this.hosts.set(peer, host);
    await host.lend({
      cid: CID,
      layers: this.manifest.config.layers,
      start,
      end,
      main: { start, end, embed: false, head: false },
      memoryBudget: 1e8,
      load: (part) => this.load(part),
    });
  }

  async chain(privacy: Privacy, prefer: string[]): Promise<Chain> {
    const name = `client${++this.#ids}`;
    const chain = await openChain({
      transport: this.network.join(name),
      directory: this.network.directory(name),
      clock: systemClock,
      manifest: this.manifest,
      cid: CID,
      privacy,
      parts: privacy === 'private' ? this.parts : { front: null, head: null },
      agent: 'test/1',
      randomId: () => (++this.#ids).toString(16).padStart(64, '0'),
      prefer,
    });
    ends.push(() => chain.dispose());
    return chain;
  }
}

async function say(
  model: Engine | Chain,
  prompt: readonly number[],
  settings = { ...DEFAULT_SAMPLING, temperature: 0, seed: 1 },
  after: (said: number) => void = () => undefined,
): Promise<number[]> {
  const session = await model.open();
  const sampler = new Sampler(settings);
  const history = [...prompt];
  let tokens = [...prompt];
  for (let drawn = 0; drawn < COUNT; drawn++) {
    const sample = { sampling: settings, drawn, history };
    const output: { logits: Float32Array | null; token?: number } = await model.forward(
      session,
      { tokens },
      { sample },
    );
    tokens = [output.token ?? sampler.pick(output.logits!, history)];
    history.push(...tokens);
    after(drawn + 1);
  }
  await model.close(session);
  return history.slice(prompt.length);
}

describe.each(FIXTURES)('%s', (name) => {
  test('one, two and three hops, private and light, say what one engine says', async () => {
    const world = await RealWorld.open(name);
    const { expected } = await openFixture(name);
    const alone = await say(world.whole, expected.prompt);
    expect(alone).toEqual(expected.greedy.slice(0, COUNT));
    for (const [peer, start, end] of [
      ['front', 0, 1],
      ['all', 1, 4],
      ['left', 1, 2],
      ['right', 2, 4],
      ['mid', 2, 3],
      ['end', 3, 4],
    ] as const)
      await world.host(peer, start, end);
    for (const hops of [['all'], ['left', 'right'], ['left', 'mid', 'end']]) {
      expect(await say(await world.chain('private', hops), expected.prompt)).toEqual(alone);
      const light = await world.chain('light', ['front', ...hops]);
      expect(await say(light, expected.prompt)).toEqual(alone);
    }
  });
});

test('light mode says for a seed what the own sampler says', async () => {
  const world = await RealWorld.open('llama-tied');
  const { prompt } = (await openFixture('llama-tied')).expected;
  await world.host('a', 0, 2);
  await world.host('b', 2, 4);
  const settings = { ...DEFAULT_SAMPLING, temperature: 1.2, repetitionPenalty: 1.3, seed: 77 };
  const alone = await say(world.whole, prompt, settings);
  const light = await world.chain('light', ['a', 'b']);
  expect(await say(light, prompt, settings)).toEqual(alone);
  await world.host('c', 2, 4);
  const mended = await world.chain('light', ['a', 'b']);
  const text = await say(mended, prompt, settings, (said) => said === 9 && world.network.kill('b'));
  expect(text).toEqual(alone);
  expect(mended.status().recoveries).toBe(1);
});

test.each(['a', 'b', 'c'])('hop %s dies in the answer of a real model: same text', async (victim) => {
  const world = await RealWorld.open('qwen2');
  const { prompt, greedy } = (await openFixture('qwen2')).expected;
  for (const [i, peer] of ['a', 'b', 'c'].entries()) {
    await world.host(peer, i + 1, i + 2);
    await world.host(`${peer}2`, i + 1, i + 2);
  }
  const chain = await world.chain('private', ['a', 'b', 'c']);
  const text = await say(chain, prompt, undefined, (said) => said === 9 && world.network.kill(victim));
  expect(text).toEqual(greedy.slice(0, COUNT));
  expect(chain.status().recoveries).toBe(1);
  for (const peer of ['a', 'b', 'c'].filter((one) => one !== victim)) {
    const { prefillPositions, decodePositions, replayedPositions } = world.hosts.get(peer)!.status().counters;
    expect(prefillPositions + decodePositions).toBe(prompt.length + COUNT - 1);
    expect(replayedPositions).toBe(0);
  }
});
