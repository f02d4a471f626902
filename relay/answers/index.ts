/** Questions become answers over slices: the relay's own, or those of the network. Knows nothing of HTTP. */
export { type AnswersLimits, type AnswersOptions, createAnswers, type RelayAnswers } from './answers.ts';
export type { RunLocally } from './open-conversation.ts';
export * from './types.ts';
