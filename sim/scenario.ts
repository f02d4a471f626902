import type { Privacy } from '../src/chain/index.ts';
import type { LayerRange } from '../src/wire/index.ts';
import { Random } from './random.ts';

export interface HostPlan {
  name: string;
  slice: LayerRange;
  /** Milliseconds of one position in one layer. */
  layerMs: number;
  /** Sessions that fit into its memory. */
  room: number;
}

export interface TurnPlan {
  /** Positions of the conversation that stay: fewer than there are when the user edits. Of 1. */
  keep: number;
  prompt: number[];
  /** Most tokens of the answer. */
  answer: number;
}

export interface ConversationPlan {
  /** Milliseconds after the start of the world. */
  startMs: number;
  turns: TurnPlan[];
  /** Null: greedy. */
  samplingSeed: number | null;
}

export interface ClientPlan {
  name: string;
  privacy: Privacy;
  /** Layers that it runs itself; 0 only in light mode. */
  front: number;
  /** It can run layers that nobody else holds. */
  local: boolean;
  /** What it lends to others, as a tab does that is shared. */
  lends: HostPlan | null;
  /** Its conversations are sessions of one chain. */
  oneChain: boolean;
  conversations: ConversationPlan[];
}

/** All that a seed decides before anything happens. */
export interface Scenario {
  seed: number;
  layers: number;
  hosts: HostPlan[];
  clients: ClientPlan[];
  latencyMs: [low: number, high: number];
  jitterMs: number;
  chunk: number;
  stepMs: number;
  /** Not everybody finds room: to be refused is no fault of the chain. */
  scarce: boolean;
}

/** Most tokens of a session in a world. */
export const MAX_TOKENS = 192;

export interface ScenarioOptions {
  vocabulary: number;
  /** Layers, where the model fixes them. */
  layers?: number;
  /** What the faults of the seed cannot do without. */
  needs: ReadonlySet<Need | undefined>;
}

/** `light`: light mode. `hops`: more than one hop. `scarce`: hosts without room for everybody. */
export type Need = 'light' | 'hops' | 'scarce';

export function drawScenario(seed: number, options: ScenarioOptions): Scenario {
  const { vocabulary, needs } = options;
  const random = new Random(seed, 'scenario');
  const layers = options.layers ?? random.integer(6, 14);
  const light = random.chance(0.4) || needs.has('light');
  const scarce = needs.has('scarce');
  const clients: ClientPlan[] = [];
  for (let i = 1; i <= (random.chance(0.2) || scarce ? 2 : 1); i++) {
    const front = light && random.chance(0.7) ? 0 : Math.min(2, layers - 1);
    const name = `c${i}`;
    clients.push({
      name,
      privacy: light ? 'light' : 'private',
      front,
      local: random.chance(0.25),
      lends: random.chance(0.2) ? { name, slice: someRange(random, layers), layerMs: 0.5, room: 16 } : null,
      oneChain: random.chance(0.5),
      conversations: Array.from({ length: random.chance(scarce ? 0.8 : 0.25) ? 2 : 1 }, () =>
        drawConversation(random, vocabulary, light),
      ),
    });
  }
  return {
    seed,
    layers,
    hosts: drawHosts(random, layers, needs),
    clients,
    latencyMs: random.chance(0.5) ? [1, 8] : [5, 90],
    jitterMs: random.chance(0.5) ? 1 : 40,
    chunk: random.pick([4, 8, 16]),
    stepMs: random.pick([4_000, 30_000]),
    scarce,
  };
}

function drawConversation(random: Random, vocabulary: number, light: boolean): ConversationPlan {
  const tokens = (low: number, high: number) =>
    Array.from({ length: random.integer(low, high) }, () => random.integer(0, vocabulary - 1));
  const turns = Array.from({ length: random.integer(1, 3) }, (_, i) => ({
    keep: i > 0 && random.chance(0.3) ? random.between(0, 1) : 1,
    prompt: tokens(2, random.chance(0.3) ? 40 : 12),
    answer: random.integer(2, 9),
  }));
  return {
    startMs: random.between(0, 200),
    turns,
    samplingSeed: light && random.chance(0.4) ? random.integer(1, 1e9) : null,
  };
}

/** Hosts whose slices cover the model two or three times, cut at other places each time. */
function drawHosts(random: Random, layers: number, needs: ReadonlySet<Need | undefined>): HostPlan[] {
  const hosts: HostPlan[] = [];
  const room = () => (needs.has('scarce') ? random.integer(1, 3) : 16);
  const add = (name: string, slice: LayerRange) =>
    hosts.push({ name, slice, layerMs: random.between(0.1, 2), room: room() });
  const relay = random.integer(needs.has('hops') ? 1 : 0, 2);
  if (relay === 0) add('relay', { start: 0, end: layers });
  if (relay === 1) add('relay', someRange(random, layers));
  const covers = relay === 0 ? random.integer(1, 2) : random.integer(2, 3);
  for (let cover = 0; cover < covers; cover++) {
    const pieces = random.integer(2, 3);
    let start = 0;
    for (let piece = 1; piece <= pieces; piece++) {
      const left = pieces - piece;
      const end = left === 0 ? layers : random.integer(start + 1, layers - left);
      // Slices overlap: some hold more than their share.
      const slice = {
        start: Math.max(0, start - (random.chance(0.3) ? random.integer(1, 3) : 0)),
        end: Math.min(layers, end + (random.chance(0.3) ? random.integer(1, 3) : 0)),
      };
      add(`h${hosts.length + 1}`, slice);
      start = end;
    }
  }
  return hosts;
}

function someRange(random: Random, layers: number): LayerRange {
  const start = random.integer(0, layers - 1);
  return { start, end: random.integer(start + 1, layers) };
}
