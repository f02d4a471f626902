/** The network in Node: the relay, and a plain peer. */
import './polyfills.ts';

export { type AutoTlsOptions, autoTlsHost } from './auto-tls.ts';
export { createNodeSwarm, type NodeSwarmOptions } from './node-swarm.ts';
export type { RelayPorts } from './relay-node.ts';
export {
  type ConnectedPeer,
  createRelaySwarm,
  RELAY_LIMITS,
  type RefusalReason,
  type RelayCounts,
  type RelayLimits,
  type RelaySwarm,
  type RelaySwarmOptions,
  type RelayTransport,
} from './relay-swarm.ts';
