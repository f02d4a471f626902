import { parentPort } from 'node:worker_threads';
import { nodePlatform } from './node-platform.ts';
import { serveEngine } from './worker/host.ts';

const port = parentPort;
if (!port) throw new Error('node-worker.ts runs in a worker thread only');
serveEngine(
  {
    post: (message, transfer) => port.postMessage(message, transfer),
    onMessage: (listener) => port.on('message', listener),
  },
  nodePlatform,
);
