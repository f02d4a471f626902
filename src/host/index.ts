/** Lends slices to others: admission, sessions, batching, draining, announcing. */
export { createHost } from './host.ts';
export { layersInWords } from './layer-words.ts';
export * from './types.ts';
