/**
 * A peer that joins at an address, says so, and stays until it is killed. A process of its own: node-datachannel 0.33
 * crashes in one of six processes in which relays stop after their webrtc-direct peers lived there too; in two
 * processes, as in life, it does not.
 */
import { createNodeSwarm } from '../node.ts';

const peer = await createNodeSwarm({ relays: [process.argv[2]!], dial: ['tcp', 'webrtc-direct'] });
await peer.ready;
console.log('joined');
