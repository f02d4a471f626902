// A worker thread does not inherit the hooks that compile TypeScript on the main thread: it brings its own.
import { register } from 'tsx/esm/api';

register();
await import('./node-worker.ts');
