/** A chain of peers that run the layers which the client does not run itself. The rules are in `docs/protocol.md`. */
export { type Chain, openChain } from './chain.ts';
export { rangesInWords } from './offers.ts';
export { ChainPeers, type ChainPeersOptions } from './peers.ts';
export type { SampleRequest } from './sampling.ts';
export type { ChainForwardOptions, ChainForwardOutput } from './session.ts';
export * from './types.ts';
