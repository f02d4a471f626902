/** Lends slices to others: admission, sessions, batching, draining, announcing. */
export { newCounters } from './counters.ts';
export { type Greeted, type GreetOptions, greetAll } from './greet.ts';
export { createHost } from './host.ts';
export { layersInWords } from './layer-words.ts';
export { logProbabilities, type TokenLogprobs } from './log-probabilities.ts';
export * from './types.ts';
