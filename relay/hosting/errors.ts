import { explain } from '../errors.ts';

export type HostingErrorCode =
  /** The model does not have the layers that were asked for. */
  | 'bad-layers'
  /** They do not fit; the message says how much is missing. */
  | 'no-memory'
  /** CUDA was asked for by name and cannot be had. */
  | 'no-device';

/** The one error class of `relay/hosting/`. The message says what to do. */
export class HostingError extends Error {
  override readonly name = 'HostingError';
  constructor(
    readonly code: HostingErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A message for the log. */
export function reasonOf(error: unknown): string {
  return error instanceof HostingError ? error.message : explain(error);
}
