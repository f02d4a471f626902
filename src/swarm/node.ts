/** The network in Node: the relay, and a plain peer. */
import './polyfills.ts';

export { createNodeSwarm } from './node-swarm.ts';
export {
  createRelaySwarm,
  RELAY_LIMITS,
  type RelayCounts,
  type RelayLimits,
  type RelaySwarm,
  type RelaySwarmOptions,
} from './relay-swarm.ts';
