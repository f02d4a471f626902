import type { KeptMessage } from '../../chat/web.ts';
import { ShoalError, type ShoalErrorCode } from '../../sdk/early.ts';
import { keptHappened, parseHappened } from './happened.ts';
import type { Happened, ThreadMessage } from './types.ts';

const CODES: Record<ShoalErrorCode, true> = {
  'bad-request': true,
  'not-available': true,
  'no-model': true,
  'bad-model': true,
  unreachable: true,
  'no-peers': true,
  'no-capacity': true,
  'no-space': true,
  'no-engine': true,
  'context-full': true,
  aborted: true,
  disposed: true,
  failed: true,
};

/** A message to keep. An answer that is still given is kept as `streaming`, whatever it waits for. */
export function toKept({
  happened,
  error,
  route,
  state,
  attachments,
  ...message
}: ThreadMessage): KeptMessage {
  return {
    ...message,
    attachments: [...attachments],
    state: state === 'waiting' ? 'streaming' : state,
    error: error && { code: error.code, message: error.message },
    happened: happened && keptHappened(happened),
    ...(route === undefined ? {} : { route }),
  };
}

/**
 * A kept message for the page. Nobody writes it any more, or it would not be asked for with this: an answer that was
 * not done is one that a reload has stopped. How it came about is read when somebody looks.
 */
export function fromKept({ happened: text, error, state, ...message }: KeptMessage): ThreadMessage {
  let happened: Happened | null | undefined;
  return {
    ...message,
    state: state === 'streaming' ? 'stopped' : state,
    error: error && toError(error),
    get happened() {
      if (happened === undefined) happened = parseHappened(text);
      return happened;
    },
  };
}

function toError({ code, message }: { code: string; message: string }): ShoalError {
  return new ShoalError(Object.hasOwn(CODES, code) ? (code as ShoalErrorCode) : 'failed', message);
}
