/** Why a model could not be read, fetched or kept. */
export type ModelErrorCode =
  | 'not-a-model'
  | 'unsupported-architecture'
  | 'unsupported-type'
  | 'malformed'
  | 'too-large'
  | 'truncated'
  | 'missing-tensor'
  | 'wrong-shape'
  | 'wrong-hash'
  | 'unreachable'
  | 'stalled'
  | 'no-space'
  | 'not-found'
  | 'aborted';

/** The one error class of `model/`. The message says what to do. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  constructor(
    readonly code: ModelErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
