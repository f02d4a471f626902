/** Why the sdk could not do what was asked. */
export type ShoalErrorCode =
  | 'bad-request'
  | 'not-available'
  | 'no-model'
  | 'bad-model'
  | 'unreachable'
  | 'no-peers'
  | 'no-capacity'
  | 'no-space'
  | 'no-engine'
  | 'context-full'
  | 'aborted'
  | 'disposed'
  | 'failed';

/** What a person can do about an error; the page turns it into a button. */
export type NextStep = 'retry' | 'share' | 'free-space' | 'choose-model' | 'new-chat' | 'reload' | 'none';

/** The one error class of `sdk/`. The message says what to do; `param` names a refused parameter. */
export class ShoalError extends Error {
  override readonly name = 'ShoalError';
  readonly param: string | null;
  readonly next: NextStep;

  constructor(
    readonly code: ShoalErrorCode,
    message: string,
    options: ErrorOptions & { param?: string; next?: NextStep } = {},
  ) {
    super(message, options);
    this.param = options.param ?? null;
    this.next = options.next ?? NEXT[code];
  }
}

const NEXT: Record<ShoalErrorCode, NextStep> = {
  'bad-request': 'none',
  'not-available': 'none',
  'no-model': 'retry',
  'bad-model': 'choose-model',
  unreachable: 'retry',
  // A device that lends the missing layers helps, and this one may be it.
  'no-peers': 'share',
  'no-capacity': 'retry',
  'no-space': 'free-space',
  'no-engine': 'reload',
  'context-full': 'new-chat',
  aborted: 'retry',
  disposed: 'reload',
  failed: 'retry',
};

/** Codes of the rooms below, as the sdk tells them. */
const CODES: Record<string, ShoalErrorCode> = {
  // model/
  'not-a-model': 'bad-model',
  'unsupported-architecture': 'bad-model',
  'unsupported-type': 'bad-model',
  malformed: 'bad-model',
  'too-large': 'bad-model',
  truncated: 'bad-model',
  'missing-tensor': 'bad-model',
  'wrong-shape': 'bad-model',
  'wrong-hash': 'unreachable',
  unreachable: 'unreachable',
  stalled: 'unreachable',
  'no-space': 'no-space',
  'not-found': 'no-model',
  // engine/
  'no-backend': 'no-engine',
  'wrong-numbers': 'no-engine',
  'out-of-memory': 'no-engine',
  'cache-full': 'context-full',
  // chain/; `unreachable`, `cache-full` and `aborted` as in the rooms below
  'no-cover': 'no-peers',
  'no-capacity': 'no-capacity',
  deadline: 'unreachable',
  // swarm/
  gone: 'unreachable',
  'no-relay': 'unreachable',
  // chat/
  'context-full': 'context-full',
  'bad-request': 'bad-request',
  template: 'bad-model',
  tokenizer: 'bad-model',
  aborted: 'aborted',
};

/** Any failure of the rooms below, as a ShoalError that keeps their message and has the cause. */
export function toShoalError(error: unknown): ShoalError {
  if (error instanceof ShoalError) return error;
  if (error instanceof DOMException && error.name === 'AbortError') return aborted(error);
  if (error instanceof Error) {
    const code = 'code' in error && typeof error.code === 'string' ? CODES[error.code] : undefined;
    const param = 'param' in error && typeof error.param === 'string' ? error.param : undefined;
    return new ShoalError(code ?? 'failed', error.message, { cause: error, param });
  }
  return new ShoalError('failed', String(error), { cause: error });
}

export function aborted(cause?: unknown): ShoalError {
  return new ShoalError('aborted', 'Stopped before it was done. Ask again to continue.', { cause });
}
