import {
  forceCollide,
  forceSimulation,
  forceX,
  forceY,
  type Simulation,
  type SimulationNodeDatum,
} from 'd3-force';
import { type Anchor, anchorsOf, reach, spacingFor } from './anchors.ts';
import type { Scene } from './scene.ts';

/** A fish with its place, in the picture's own units. */
export interface Placed extends SimulationNodeDatum {
  id: string;
  x: number;
  y: number;
  group: string;
  /** Its place in the school: 0 is the middle. */
  slot: number;
  goal: { x: number; y: number };
}

/** Steps until everybody has found a place. */
const STEPS = 90;
/** Between two slots of a spiral, so that they fill a circle evenly. */
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));
/** Units from its place that who comes begins: it swims in from the left. */
const ARRIVAL = 50;

/**
 * Places that stay: who is there keeps its place in its school, who leaves makes room for the outermost, and who comes
 * swims in. Work is done in small pieces by `work`, so that a page with hundreds of peers never stops.
 */
export class Layout {
  #placed = new Map<string, Placed>();
  #anchors = new Map<string, Anchor>();
  readonly #simulation: Simulation<Placed, undefined>;
  #left = 0;

  constructor() {
    this.#simulation = forceSimulation<Placed>([])
      .alphaDecay(1 - 0.002 ** (1 / STEPS))
      .velocityDecay(0.55)
      .stop();
  }

  get places(): ReadonlyMap<string, Placed> {
    return this.#placed;
  }

  get anchors(): ReadonlyMap<string, Anchor> {
    return this.#anchors;
  }

  get settled(): boolean {
    return this.#left === 0;
  }

  /** @param aspect width of the picture by its height */
  set(scene: Scene, aspect: number): void {
    this.#anchors = anchorsOf(scene.groups, aspect);
    const before = this.#placed;
    const spacing = spacingFor(scene.nodes.length);
    this.#placed = new Map();
    for (const [id, group, slot] of slotsOf(scene, before)) {
      const goal = goalOf(this.#anchors.get(group)!, slot, spacing);
      const known = before.get(id);
      if (known) this.#placed.set(id, Object.assign(known, { group, slot, goal }));
      else this.#placed.set(id, { id, group, slot, goal, x: goal.x - ARRIVAL, y: goal.y });
    }
    this.#simulation
      .nodes([...this.#placed.values()])
      .force('x', forceX<Placed>(({ goal }) => goal.x).strength(0.2))
      .force('y', forceY<Placed>(({ goal }) => goal.y).strength(0.2))
      // Who passes others on the way goes around them.
      .force('apart', forceCollide<Placed>(spacing * 0.4).strength(0.5))
      .alpha(1);
    this.#left = STEPS;
  }

  /**
   * Goes on until everybody has a place, or the time is over.
   * @param milliseconds of this piece
   * @returns whether anybody moved
   */
  work(milliseconds: number, now: () => number): boolean {
    if (this.#left === 0) return false;
    const until = now() + milliseconds;
    do {
      this.#simulation.tick();
      this.#left--;
    } while (this.#left > 0 && now() < until);
    return true;
  }
}

/** The slot of everybody in its school: the one it had, else the first that is free. */
function slotsOf({ nodes, groups }: Scene, before: ReadonlyMap<string, Placed>): [string, string, number][] {
  const taken = new Map(groups.map(({ key, peers }) => [key, new Array<string | null>(peers).fill(null)]));
  const without: Scene['nodes'] = [];
  for (const node of nodes) {
    const slots = taken.get(node.group)!;
    const known = before.get(node.id);
    const keeps = known?.group === node.group && known.slot < slots.length && slots[known.slot] === null;
    if (keeps) slots[known.slot] = node.id;
    else without.push(node);
  }
  const next = new Map<string, number>();
  for (const { id, group } of without) {
    const slots = taken.get(group)!;
    let slot = next.get(group) ?? 0;
    while (slots[slot] !== null) slot++;
    slots[slot] = id;
    next.set(group, slot + 1);
  }
  return [...taken].flatMap(([group, slots]) =>
    slots.flatMap((id, slot): [string, string, number][] => (id === null ? [] : [[id, group, slot]])),
  );
}

/** A sunflower's spiral in the school's circle: a new one at the rim moves nobody. */
function goalOf({ x, y, across, down }: Anchor, slot: number, spacing: number): { x: number; y: number } {
  const far = reach(slot + 1, spacing);
  const round = Math.sqrt(across * down);
  const angle = slot * GOLDEN_ANGLE;
  return {
    x: x + Math.cos(angle) * far * (across / round),
    y: y + Math.sin(angle) * far * (down / round),
  };
}

/** 0 to below 1, always the same for an id. */
export function phaseOf(id: string): number {
  let hash = 7;
  for (let i = 0; i < id.length; i++) hash = (Math.imul(hash, 31) + id.charCodeAt(i)) | 0;
  return (hash >>> 0) / 2 ** 32;
}
