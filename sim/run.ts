import { VOCABULARY } from './arithmetic.ts';
import { arithmeticModel } from './arithmetic-model.ts';
import { Conversation } from './conversation.ts';
import { type Fault, ROUND } from './faults.ts';
import { checkClients, checkHosts, checkIdle, describe } from './invariants.ts';
import { Random } from './random.ts';
import { drawScenario } from './scenario.ts';
import { Watch } from './watch.ts';
import { World, type WorldModel } from './world.ts';

export interface Report {
  seed: number;
  /** What must never be; empty for a sound seed. */
  broken: string[];
  hits: Map<string, number>;
  ends: string[];
  /** Hash of everything that happened. */
  trace: number;
  events: number;
  /** Milliseconds of the world. */
  worldMs: number;
}

export interface RunOptions {
  /** Another model than the arithmetic one. */
  model?: WorldModel;
  /** Breaks something on purpose once the world is built. */
  sabotage?: (world: World, watch: Watch) => void;
  /** Only these faults, whatever the seed says. */
  faults?: readonly Fault[];
  onEvent?: (at: number, actor: string, label: string) => void;
}

/** Milliseconds of the world after which conversations must be over, whatever went wrong. */
const WORLD_MS = 3_600_000;

/** Runs one seed from its first event to its last and looks at what is left. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<Report> {
  const random = new Random(seed, 'faults');
  // One seed of thirty has nothing go wrong.
  const first = ROUND[seed % ROUND.length]!;
  const some = random.chance(0.97) ? [first] : [];
  for (let i = random.integer(0, 4); i > 0 && some.length > 0; i--) some.push(random.pick(ROUND));
  const faults = options.faults ?? some;
  const scenario = drawScenario(seed, {
    vocabulary: options.model?.vocabulary ?? VOCABULARY,
    layers: options.model?.manifest.config.layers,
    needs: new Set(faults.map((fault) => fault.needs)),
  });
  const world = new World(scenario, options.model ?? arithmeticModel(scenario.layers));
  world.scheduler.onEvent = options.onEvent ?? null;
  const rejected = (reason: unknown) => world.broken.push(`nobody caught ${describe(reason)}`);
  process.on('unhandledRejection', rejected);
  const conversations: Conversation[] = [];
  try {
    await world.start();
    const watch = new Watch(world.network);
    for (const client of world.clients) {
      world.hit(`mode ${client.plan.privacy}`);
      for (const plan of client.plan.conversations)
        conversations.push(new Conversation(world, client, plan, `${client.plan.name} of seed ${seed}`));
    }
    world.note(
      JSON.stringify({ ...scenario, faults: faults.map(({ name }) => name) }, (key, value) =>
        key === 'prompt' ? value.length : value,
      ),
    );
    for (const fault of faults)
      fault.arm({ world, watch, random, conversations }, () => world.hit(fault.name));
    options.sabotage?.(world, watch);
    await converse(world, conversations);
    await checkClients(world);
    await checkIdle(world);
    await checkHosts(world);
  } catch (error) {
    world.broken.push(`the world broke: ${describe(error)}`);
  } finally {
    process.off('unhandledRejection', rejected);
  }
  return {
    seed,
    broken: world.broken,
    hits: world.hits,
    ends: conversations.flatMap(({ ends }) => ends),
    trace: world.scheduler.trace,
    events: world.scheduler.events,
    worldMs: world.scheduler.now,
  };
}

/** Lets all conversations run until each is over or its client is dead. */
async function converse(world: World, conversations: readonly Conversation[]): Promise<void> {
  for (const conversation of conversations) {
    const { client, plan } = conversation;
    world.scheduler.after(plan.startMs, client.transport.actor, 'conversation', () => {
      void conversation.run();
    });
  }
  const over = () => conversations.every((conversation) => conversation.over || conversation.client.dead);
  const result = await world.scheduler.run(over, world.scheduler.now + WORLD_MS);
  if (result !== 'done') {
    const left = conversations.filter((conversation) => !conversation.over && !conversation.client.dead);
    throw new Error(`${left.length} turns never ended (${result})`);
  }
}
