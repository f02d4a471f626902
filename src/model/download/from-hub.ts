import { downloadFile } from '@huggingface/hub';
import type { HubFile } from '../catalogue.ts';
import { ModelError } from '../errors.ts';
import { Watchdog } from '../watchdog.ts';
import type { PartFile } from './part-file.ts';

/** To an answer's first byte. Two requests are made, so a hub that is cut off costs at most twice this. */
const CONNECT_MS = 4_000;
/** Between two pieces of a body. */
const STALL_MS = 20_000;

export interface HubOptions {
  /** Another hub with the same interface; default: the library's, or the environment's `HF_ENDPOINT`. */
  hubUrl?: string;
  connectMs?: number;
  stallMs?: number;
}

/** Appends what is missing of a part from the hub. @throws ModelError `unreachable`, `stalled`, `not-found`, `aborted` */
export async function fromHub(
  file: HubFile,
  part: PartFile,
  onBytes: (size: number) => void,
  signal: AbortSignal | undefined,
  { hubUrl = process.env.HF_ENDPOINT, connectMs = CONNECT_MS, stallMs = STALL_MS }: HubOptions = {},
): Promise<void> {
  const watchdog = new Watchdog('The hub', signal);
  let failure: ModelError | null = null;
  const watchedFetch: typeof fetch = async (input, init) => {
    try {
      watchdog.touch(connectMs);
      const response = await fetch(input, { ...init, signal: watchdog.signal });
      watchdog.touch(stallMs);
      const partial = new Headers(init?.headers).has('range');
      // A whole file in answer to a range would be appended at the wrong place.
      if (partial && response.status === 200)
        throw new ModelError('unreachable', 'The hub ignores range requests.');
      return response;
    } catch (cause) {
      // The library turns failures of a body into plain text; the first cause is kept here.
      failure ??= cause instanceof ModelError ? cause : unreachable(cause);
      throw cause;
    }
  };
  try {
    const { repo, path, revision } = file;
    const options = { repo, path, revision, xet: false, fetch: watchedFetch, ...(hubUrl && { hubUrl }) };
    const blob = await downloadFile(options);
    if (!blob) throw new ModelError('not-found', `The hub has no ${path} in ${repo}.`);
    if (blob.size !== part.expected.bytes)
      throw new ModelError(
        'wrong-hash',
        `The hub's ${path} has ${blob.size} bytes, not ${part.expected.bytes}.`,
      );
    const start = await part.resumeAt();
    if (start < blob.size) await part.append(watched(blob.slice(start).stream(), watchdog, stallMs), onBytes);
  } catch (cause) {
    if (cause instanceof ModelError) throw cause;
    throw watchdog.explain(failure ?? unreachable(cause));
  } finally {
    watchdog.end();
  }
}

async function* watched(
  stream: ReadableStream<Uint8Array>,
  watchdog: Watchdog,
  stallMs: number,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const next = await reader.read();
      if (next.done) return;
      watchdog.touch(stallMs);
      yield next.value;
    }
  } finally {
    // Left early: the connection must not stay open. It may already have failed, which is told elsewhere.
    await reader.cancel().catch(() => undefined);
  }
}

function unreachable(cause: unknown): ModelError {
  const { message } = cause instanceof Error ? cause : new Error(String(cause));
  return new ModelError('unreachable', `The hub cannot be reached (${message}).`, { cause });
}
