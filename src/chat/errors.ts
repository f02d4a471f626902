/** Why a turn could not be run. */
export type ChatErrorCode =
  | 'context-full'
  | 'bad-request'
  | 'template'
  | 'tokenizer'
  | 'busy'
  | 'history'
  | 'aborted'
  | 'failed';

/** The one error class of `chat/`. The message says what to do. */
export class ChatError extends Error {
  override readonly name = 'ChatError';
  constructor(
    readonly code: ChatErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
