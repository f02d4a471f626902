import type { Engine } from '../../engine/index.ts';
import { ArithmeticEngine, EngineDiary, VOCABULARY, WIDTH } from '../../host/testing/arithmetic-engine.ts';
import { CID } from '../../host/testing/hand-client.ts';
import { settled } from '../../host/testing/manual-clock.ts';
import { LAYERS, World } from '../../host/testing/world.ts';
import type { Manifest } from '../../model/index.ts';
import { decodeMessage, type Message } from '../../wire/index.ts';
import { type Chain, openChain } from '../chain.ts';
import type { SampleRequest } from '../sampling.ts';
import type { ChainEvent, ChainOptions } from '../types.ts';

/** Layers that the client of these tests runs itself in private mode. */
export const FRONT = 2;
const CONTEXT = 512;
/** Whatever happens, a call has ended by then. */
const PATIENCE_MS = 120_000;

export const PROMPT = Array.from({ length: 40 }, (_, i) => (i * 7 + 3) % VOCABULARY);

/** What `World`'s sampler looks at. */
export const greedily = (drawn: number): SampleRequest => ({
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, repetitionWindow: 0, seed: 1 },
  drawn,
  history: [],
});

/** Hosts of `host/`, and clients of `chain/`, on one network with one clock. */
export class ChainWorld extends World {
  readonly events: ChainEvent[] = [];
  readonly clientDiary = new EngineDiary();
  #sessions = 0;

  async hosts3(...more: { peer: string; start: number; end: number }[]): Promise<void> {
    const three = [
      { peer: 'a', start: 2, end: 5 },
      { peer: 'b', start: 5, end: 8 },
      { peer: 'c', start: 8, end: 12 },
    ];
    for (const hop of [...three, ...more]) await this.host(hop);
  }

  async chain(more: Partial<ChainOptions> = {}, name = 'client', signal?: AbortSignal): Promise<Chain> {
    const light = more.privacy === 'light';
    const options: ChainOptions = {
      transport: this.network.find(name) ?? this.network.join(name),
      directory: this.network.directory(name),
      clock: this.clock,
      manifest: MANIFEST,
      cid: CID,
      privacy: 'private',
      parts: light ? { front: null, head: null } : this.parts(),
      agent: 'test/1',
      randomId: () => (++this.#sessions).toString(16).padStart(64, '0'),
      onEvent: (event) => this.events.push(event),
      ...more,
      limits: { chunk: 8, ...more.limits },
    };
    return openChain(options, signal);
  }

  parts(): { front: Engine; head: Engine } {
    const part = (start: number, end: number, embed: boolean, head: boolean) =>
      new ArithmeticEngine({ start, end, embed, head }, this.clientDiary, CONTEXT);
    return { front: part(0, FRONT, true, false), head: part(LAYERS, LAYERS, false, true) };
  }

  /** Messages that the tap of the network sees, told apart; false loses the message. */
  onMessage(look: (from: string, to: string, message: Message) => boolean | undefined): void {
    this.network.tap = (from, to, body) => look(from, to, decodeMessage(body)) !== false;
  }

  /** Runs a promise to its end while time passes. */
  async passing<T>(promise: Promise<T>, stepMs = 100): Promise<T> {
    let over = false;
    const end = () => {
      over = true;
    };
    promise.then(end, end);
    await settled();
    const until = this.clock.now() + PATIENCE_MS;
    while (!over) {
      await this.clock.advance(stepMs);
      if (this.clock.now() > until) throw new Error('it neither ends nor fails');
    }
    return promise;
  }

  counters(peer: string) {
    return this.hosts.get(peer)!.host.status().counters;
  }
}

/** What the same model says alone; a new session for each. */
export async function aloneText(prompt: readonly number[], count: number, light = false): Promise<number[]> {
  const whole = { start: 0, end: LAYERS, embed: true, head: true };
  const engine = new ArithmeticEngine(whole, new EngineDiary(), CONTEXT);
  const session = await engine.open();
  const said: number[] = [];
  let tokens = [...prompt];
  for (let i = 0; i < count; i++) {
    const { logits } = await engine.forward(session, { tokens });
    const best = argmax(logits!);
    said.push(light ? (best + i) % VOCABULARY : best);
    tokens = [said.at(-1)!];
  }
  return said;
}

/** The tokens that a chain says after a prompt, as a turn would ask for them. */
export async function say(
  chain: Chain,
  session: number,
  prompt: readonly number[],
  count: number,
  { signal, after }: { signal?: AbortSignal; after?: (said: number) => void } = {},
): Promise<number[]> {
  const said: number[] = [];
  let tokens = [...prompt];
  for (let i = 0; i < count; i++) {
    const output = await chain.forward(session, { tokens }, { signal, sample: greedily(i) });
    said.push(output.token ?? argmax(output.logits!));
    tokens = [said.at(-1)!];
    after?.(said.length);
  }
  return said;
}

export function argmax(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

const MANIFEST: Manifest = {
  version: 1,
  name: 'arithmetic',
  config: {
    architecture: 'llama',
    layers: LAYERS,
    width: WIDTH,
    heads: 1,
    kvHeads: 1,
    headSize: WIDTH,
    ffnWidth: WIDTH,
    vocabulary: VOCABULARY,
    contextLength: CONTEXT,
    normEpsilon: 1e-5,
    ropeTheta: 10_000,
    ropeScaling: { kind: 'none' },
    interleavedRope: false,
    tiedEmbedding: true,
  },
  files: [],
  tensors: [],
  tokenizer: null,
  chatTemplate: null,
};
