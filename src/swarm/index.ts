/**
 * The peer-to-peer node. This door has no libp2p in it: types, keys and the grid. `web.ts` makes a tab's node,
 * `node.ts` the relay's.
 */

export * from './agent.ts';
export * from './choose-cells.ts';
export * from './clock.ts';
export * from './grid.ts';
export * from './keys.ts';
export * from './relay-address.ts';
export * from './swarm.ts';
export * from './types.ts';
