/** A conversation becomes tokens and back: template, tokenizer, sampler, the turn loop. The history is in `web.ts`. */
export { ChatError, type ChatErrorCode } from './errors.ts';
export type { ChatHistory, Conversation, ConversationHeader, KeptMessage } from './history.ts';
export { capacityFor, type Line, lineFor, type Need } from './lines.ts';
export { type ChatMessage, type ChatRole, parseMaxTokens, parseMessages, parseStop } from './messages.ts';
export { sampleAsSent } from './sample-as-sent.ts';
export { Sampler } from './sampler.ts';
export { DEFAULT_SAMPLING, parseSampling, type Sampling } from './sampling.ts';
export type { TurnStep } from './steps.ts';
export { ChatTemplate } from './template.ts';
export { Tokenizer, type TokenStream } from './tokenizer.ts';
export {
  type Clock,
  Dialogue,
  type Prompt,
  type TurnEnd,
  type TurnEvent,
  type TurnForwardOptions,
  type TurnModel,
  type TurnOptions,
  type TurnTimings,
  type TurnUsage,
} from './turn.ts';
