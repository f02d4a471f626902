import { randomBytes } from 'node:crypto';
import {
  type Chain,
  ChainError,
  type ChainLimits,
  type ChainOptions,
  type ClientParts,
  openChain,
} from '../../src/chain/index.ts';
import type { LayerRange, Swarm } from '../../src/swarm/index.ts';
import type { Log, Meters } from '../watch/types.ts';
import { Conversation, type RouteNews, type RouteTaken } from './conversation.ts';
import type { ModelEnds } from './model-ends.ts';
import type { PreparedModel } from './prepared-models.ts';
import type { ModelPeers } from './sharers.ts';

/** The own host may have to load layers first; nobody else is waited for by the own route. Milliseconds. */
const OWN_OPEN_MS = 120_000;
/** Nothing gets lost on the loopback; a prompt may wait that long for those of many others. Milliseconds. */
const OWN_STEP_MS = 120_000;
/** As `OWN_OPEN_MS`, when every peer is lost and the own host stands in. Half a minute is the patience with one step as well. */
const NETWORK_OPEN_MS = 30_000;

const NO_ENDS: ClientParts = { front: null, head: null };

/** Makes the own host able to run layers that nobody else holds. Resolves false when it cannot. */
export type RunLocally = (cid: string, range: LayerRange, signal: AbortSignal) => Promise<boolean>;

export interface OpenerOptions {
  swarm: Pick<Swarm, 'transport' | 'directory' | 'clock'>;
  agent: string;
  ends: ModelEnds;
  runLocally?: RunLocally;
  chainLimits?: Partial<ChainLimits>;
  meters: Meters;
  log: Log;
}

export interface Wanted {
  model: PreparedModel;
  peers: ModelPeers;
  route: RouteTaken;
  client: string;
  /** Tokens that the session is to hold. */
  capacity: number;
}

/** Opens a chain by a route, with one session on it. @throws ChainError, AnswerError, EngineError, ModelError */
export async function openConversation(
  options: OpenerOptions,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Conversation> {
  const { model, route, client, capacity } = wanted;
  const { clock } = options.swarm;
  const lease =
    route === 'network' ? await options.ends.take(model, signal) : { parts: NO_ENDS, done: () => {} };
  const news: RouteNews = { hops: [], untold: true };
  try {
    const chain = await openWhole(options, wanted, chainOptions(options, wanted, lease.parts, news), signal);
    try {
      const session = await chain.open({ signal });
      const { meters } = options;
      const { done } = lease;
      return new Conversation({ model, route, client, capacity, chain, session, news, clock, meters, done });
    } catch (error) {
      await chain.dispose();
      throw error;
    }
  } catch (error) {
    lease.done();
    throw error;
  }
}

function chainOptions(
  { swarm, agent, runLocally, chainLimits, log }: OpenerOptions,
  { model, peers, route, capacity }: Wanted,
  parts: ClientParts,
  news: RouteNews,
): ChainOptions {
  const { cid } = model.served;
  const own = route === 'own';
  return {
    ...swarm,
    manifest: model.manifest,
    cid,
    agent,
    parts,
    // On the own host text stays in this process either way; there the whole model runs in one batch.
    privacy: own ? 'light' : 'private',
    peers: own ? peers.own : peers.network,
    maxTokens: capacity,
    limits: {
      ...(own ? { openMs: OWN_OPEN_MS, stepMs: OWN_STEP_MS } : { openMs: NETWORK_OPEN_MS }),
      ...chainLimits,
    },
    randomId: () => randomBytes(32).toString('hex'),
    ...(!own && runLocally && { runLocally: (range, stop) => runLocally(cid, range, stop) }),
    onEvent: (event) => {
      if (event.type === 'lost')
        log.info('A hop was lost in mid-answer; it is replaced.', {
          model: cid,
          start: event.start,
          end: event.end,
        });
      else {
        news.hops = event.hops;
        news.untold = true;
      }
    },
  };
}

/** A chain; layers that nobody shares are loaded here first. */
async function openWhole(
  { runLocally }: OpenerOptions,
  { model, route }: Wanted,
  options: ChainOptions,
  signal: AbortSignal,
): Promise<Chain> {
  const span = { start: options.parts.front?.info.slice.end ?? 0, end: model.manifest.config.layers };
  const tried: LayerRange[] = [];
  for (;;) {
    try {
      return await openChain(options, signal);
    } catch (error) {
      if (route === 'own' || !runLocally || !(error instanceof ChainError)) throw error;
      if (error.code !== 'no-cover' && error.code !== 'unreachable') throw error;
      // The own host comes once in a chain: it takes all from the first missing layer to the last, or, where that would
      // not do, everything.
      const range = tried.length === 0 && error.missing.length > 0 ? hull(error.missing) : span;
      if (tried.some(({ start, end }) => start === range.start && end === range.end)) throw error;
      tried.push(range);
      if (!(await runLocally(model.served.cid, range, signal))) throw error;
    }
  }
}

function hull(ranges: readonly LayerRange[]): LayerRange {
  return {
    start: Math.min(...ranges.map(({ start }) => start)),
    end: Math.max(...ranges.map(({ end }) => end)),
  };
}
