/** What an operator can set: read from flags, environment and file, and checked. */
export { COMMON_FLAGS, type OwnFlag } from './flags.ts';
export { EVERYDAY, helpOf, helpOfAll } from './help.ts';
export { KEYS, type KeyPath } from './keys.ts';
export type { Kind } from './kinds.ts';
export { nearest } from './nearest.ts';
export { defaults, type ReadConfig, type ReadOptions, readConfig, valueIn } from './read.ts';
export { fileTemplate } from './template.ts';
export type * from './types.ts';
