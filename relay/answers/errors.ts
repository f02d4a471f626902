import { ChainError, type ChainErrorCode } from '../../src/chain/index.ts';
import { ChatError } from '../../src/chat/index.ts';
import { AnswerError, type AnswerErrorCode } from './types.ts';

const OF_CHAIN: Record<ChainErrorCode, AnswerErrorCode> = {
  'no-cover': 'no-peers',
  unreachable: 'no-peers',
  'no-capacity': 'busy',
  deadline: 'failed',
  aborted: 'aborted',
  'cache-full': 'context-full',
  'no-session': 'failed',
  'bad-input': 'failed',
  closed: 'stopping',
  failed: 'failed',
};

/** Whatever went wrong, as the error of this room. No message holds anything of a prompt. */
export function toAnswerError(error: unknown): AnswerError {
  if (error instanceof AnswerError) return error;
  if (error instanceof ChainError)
    return new AnswerError(OF_CHAIN[error.code], error.message, { cause: error });
  if (error instanceof ChatError) return fromChat(error);
  const why = error instanceof Error ? error.message : 'unknown error';
  return new AnswerError('failed', `The answer failed: ${why}`, { cause: error });
}

function fromChat(error: ChatError): AnswerError {
  switch (error.code) {
    case 'context-full':
    case 'aborted':
    case 'busy':
      return new AnswerError(error.code, error.message, { cause: error });
    case 'bad-request':
      return new AnswerError('bad-question', error.message, { cause: error });
    case 'template':
      // What a template says when it refuses a conversation may quote the conversation.
      return new AnswerError(
        'bad-question',
        "The model's chat template refuses these messages. Most templates want an optional system message first, " +
          'then messages of the user and the assistant in turn, the last one of the user.',
      );
    default:
      return new AnswerError('failed', error.message, { cause: error });
  }
}

export function aborted(): AnswerError {
  return new AnswerError('aborted', 'Stopped.');
}

export function stopping(): AnswerError {
  return new AnswerError('stopping', 'This relay is stopping. Ask again in a moment, or ask another one.');
}

/** The promise, unless the signal is aborted first. @throws AnswerError `aborted` */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(aborted());
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
