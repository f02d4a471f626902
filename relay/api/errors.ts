import { AnswerError, type AnswerErrorCode } from '../answers/types.ts';

/** OpenAI's kinds of errors, as its clients know them. */
export type ApiErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'rate_limit_error'
  | 'insufficient_quota'
  | 'service_unavailable_error'
  | 'server_error';

export interface ApiErrorDetails {
  type?: ApiErrorType;
  /** The field of the request that is at fault. */
  param?: string | null;
  /** Seconds after which to try again. */
  retryAfter?: number;
  /** More headers of the response. */
  headers?: Readonly<Record<string, string>>;
  cause?: unknown;
}

/** The one error class of `api/`. The message says what to do, and goes to the client as it is. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly type: ApiErrorType;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  /** @param status of HTTP; @param code as OpenAI names it, where it has a name for it */
  constructor(
    readonly status: number,
    readonly code: string | null,
    message: string,
    details: ApiErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.type = details.type ?? typeOf(status);
    this.param = details.param ?? null;
    this.headers =
      details.retryAfter === undefined
        ? (details.headers ?? {})
        : { ...details.headers, 'Retry-After': String(Math.max(1, Math.ceil(details.retryAfter))) };
  }

  /** The body of the response: OpenAI's error object. */
  body(): ErrorBody {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } };
  }
}

export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

function typeOf(status: number): ApiErrorType {
  if (status === 401) return 'authentication_error';
  if (status === 429) return 'rate_limit_error';
  if (status === 503) return 'service_unavailable_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** A field of the request is wrong. @throws ApiError 400 always */
export function refuse(param: string, message: string, code: string | null = 'invalid_value'): never {
  throw new ApiError(400, code, message, { param });
}

/** Seconds after which a client may try again: a chain is found in seconds, a model is loaded in a minute or so. */
const RETRY: Partial<Record<AnswerErrorCode, number>> = {
  'not-ready': 10,
  busy: 5,
  'no-peers': 15,
  stopping: 30,
};

/** What a client is told about an error of an answer; null when nobody is there to be told. */
export function fromAnswers(error: unknown): ApiError | null {
  if (error instanceof ApiError) return error;
  if (!(error instanceof AnswerError)) {
    // Its message was not written for strangers: it may hold a path or a piece of the prompt.
    return new ApiError(
      500,
      'server_error',
      'Something failed in this relay. Try again; its log says more.',
      {
        cause: error,
      },
    );
  }
  const { code, message } = error;
  switch (code) {
    case 'aborted':
      return null;
    case 'no-model':
      return new ApiError(404, 'model_not_found', message, { param: 'model', cause: error });
    case 'context-full':
      return new ApiError(400, 'context_length_exceeded', message, { param: 'messages', cause: error });
    case 'bad-question':
      return new ApiError(400, 'invalid_value', message, { cause: error });
    case 'failed':
      return new ApiError(500, 'server_error', message, { cause: error });
    default:
      return new ApiError(503, code.replace('-', '_'), message, { retryAfter: RETRY[code], cause: error });
  }
}
