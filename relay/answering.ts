import type { Host } from '../src/host/index.ts';
import type { Swarm } from '../src/swarm/index.ts';
import type { Answers } from './answers/index.ts';
import { createAnswers } from './answers/index.ts';
import { LateAnswers } from './answers/late.ts';
import type { RelayConfig } from './config/types.ts';
import type { Hosting } from './hosting/hosting.ts';
import { defaultMemory, freeMemory } from './hosting/memory.ts';
import type { Shelf } from './shelf.ts';
import type { Log, Meters } from './watch/types.ts';

/** Conversations kept open for their next question, beside those that run. */
const KEPT = 16;
/** Milliseconds after which a kept conversation is closed: others need its room. */
const IDLE_MS = 300_000;

export interface Answering {
  answers: Answers;
  begin(swarm: Pick<Swarm, 'transport' | 'directory' | 'clock'>, host: Host): Promise<void>;
  /** This relay is not in the network, so it cannot answer. */
  none(): void;
}

interface Rooms {
  shelf: Shelf;
  hosting: Hosting;
  meters: Meters;
  log: Log;
  agent: string;
}

/** Answers for the API, from when the relay has joined the network. */
export function beginAnswering(config: RelayConfig, rooms: Rooms): Answering {
  const { shelf, hosting, meters, log, agent } = rooms;
  const late = new LateAnswers();
  return {
    answers: late,
    async begin(swarm, host) {
      // onnxruntime is loaded by the first that needs it.
      const { loadEngine } = await import('../src/engine/node.ts');
      const answers = createAnswers({
        models: () => shelf.models(),
        swarm,
        host,
        loadEngine,
        agent,
        meters,
        log,
        limits: {
          chains: config.api.answers + KEPT,
          idleMs: IDLE_MS,
          memory: config.hosting.memory ?? defaultMemory('cpu', await freeMemory()),
          maxTokens: config.api.maxTokens,
        },
        // Who lends nothing does not want this machine to compute the layers.
        ...(config.hosting.layers === 'none'
          ? {}
          : { runLocally: (cid, range, signal) => hosting.ensure(cid, range, signal) }),
      });
      late.become(answers);
    },
    none: () => late.fail('This relay is not in the network, so it cannot answer. Its log says why.'),
  };
}
