/**
 * A peer that joins by webrtc-direct, says so, and stays until it is killed. A process of its own: when a relay stops
 * while its peer lives in the same process, node-datachannel 0.33 crashes in one of three runs; in two processes, as in
 * life, it does not.
 */
import { createNodeSwarm } from '../node.ts';

const peer = await createNodeSwarm({ relays: [process.argv[2]!], dial: ['webrtc-direct'] });
await peer.ready;
console.log('joined');
