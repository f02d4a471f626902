import { EngineError } from '../src/engine/index.ts';
import { HostError } from '../src/host/index.ts';
import { ModelError } from '../src/model/index.ts';
import { TransportError } from '../src/swarm/index.ts';

/** Why the relay could not start or serve. */
export type RelayErrorCode =
  | 'usage'
  | 'port-in-use'
  | 'cannot-listen'
  | 'build-failed'
  | 'no-model'
  | 'no-page'
  /** A certificate or key that cannot be served with; the message says what is wrong with it. */
  | 'bad-certificate'
  /** A file that could not be written: a full disk, no permission. */
  | 'cannot-write';

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

/** Errors whose message says all that a user can do. */
const FORESEEN = [RelayError, ModelError, EngineError, HostError, TransportError];

/** A message for the log; what nobody foresaw comes with its stack. */
export function explain(error: unknown): string {
  if (FORESEEN.some((kind) => error instanceof kind)) return (error as Error).message;
  return error instanceof Error ? (error.stack ?? error.message) : 'The reason is unknown.';
}
