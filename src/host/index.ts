/** Lends slices to others: admission, sessions, batching, draining, announcing. */
export { newCounters } from './counters.ts';
export { createHost } from './host.ts';
export { layersInWords } from './layer-words.ts';
export * from './types.ts';
