/** Why the relay could not start or serve. */
export type RelayErrorCode =
  | 'usage'
  | 'port-in-use'
  | 'cannot-listen'
  | 'build-failed'
  | 'no-model'
  | 'no-page';

/** The one error class of `relay/`. The message says what to do. */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  constructor(
    readonly code: RelayErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
