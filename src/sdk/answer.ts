import type { TurnEvent } from '../chat/index.ts';
import type { Trace } from './trace.ts';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  FinishReason,
  Hop,
  Privacy,
  Provenance,
  TraceEntry,
  Usage,
} from './types.ts';

/** The identity that every chunk of one answer shares. */
export interface AnswerHead {
  id: string;
  /** Seconds since 1970. */
  created: number;
  model: string;
}

/** What ran an answer so far; counters only rise. */
export interface Work {
  hops: Hop[];
  recoveries: number;
  /** Milliseconds. */
  computeMs: number;
  wireMs: number;
}

export interface Origin {
  /** Milliseconds. */
  now(): number;
  route: Provenance['route'];
  reason: string | null;
  privacy: Privacy;
  /** Null in the local route: the turn itself tells what it computed. */
  work: (() => Work) | null;
  /** Times that the local engine was replaced. */
  recoveries?: () => number;
  trace: Trace;
}

/** Turns the events of a turn into OpenAI chunks, each with how the answer came about so far. */
export async function* chunksOf(
  head: AnswerHead,
  events: AsyncIterable<TurnEvent>,
  origin: Origin,
): AsyncGenerator<ChatCompletionChunk> {
  const { now, route, reason, privacy } = origin;
  const started = now();
  const ids: number[] = [];
  let firstAt = 0;
  let atFirst: Work | null = null;
  const soFar = (): Provenance => {
    const seconds = (now() - firstAt) / 1000;
    const work = origin.work?.() ?? null;
    const steps = Math.max(1, ids.length - 1);
    const decoding = work && atFirst && ids.length > 1 ? { work, since: atFirst } : null;
    return {
      route,
      reason,
      privacy,
      hops: work?.hops ?? [],
      token_ids: ids.slice(),
      timings: {
        first_token_ms: ids.length ? firstAt - started : 0,
        tokens_per_second: ids.length > 1 && seconds > 0 ? (ids.length - 1) / seconds : 0,
        compute_ms: work?.computeMs ?? 0,
        wire_ms: work?.wireMs ?? 0,
        compute_ms_per_token: decoding ? (decoding.work.computeMs - decoding.since.computeMs) / steps : 0,
        wire_ms_per_token: decoding ? (decoding.work.wireMs - decoding.since.wireMs) / steps : 0,
      },
      recoveries: work?.recoveries ?? origin.recoveries?.() ?? 0,
      trace: origin.trace.take(),
    };
  };
  const chunk = (
    delta: ChatCompletionChunk['choices'][0]['delta'],
    finish_reason: FinishReason | null,
    shoal: Provenance,
    usage?: Usage,
  ): ChatCompletionChunk => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason }],
    ...(usage ? { usage } : {}),
    shoal,
  });
  let opened = false;
  for await (const event of events) {
    if (!opened) {
      opened = true;
      yield chunk({ role: 'assistant', content: '' }, null, soFar());
    }
    if (event.type === 'token') {
      if (ids.length === 0) {
        firstAt = now();
        atFirst = origin.work?.() ?? null;
      }
      ids.push(event.id);
      // Text that may be the start of a stop string, or half a character, is still held back.
      if (event.text) yield chunk({ content: event.text }, null, soFar());
    } else if (event.type === 'done' && event.reason === 'aborted') {
      // The caller throws; what was held back is still part of what was said.
      if (event.text) yield chunk({ content: event.text }, null, soFar());
    } else if (event.type === 'done') {
      const { prompt_tokens, completion_tokens } = event.usage;
      const provenance = soFar();
      yield chunk(
        event.text ? { content: event.text } : {},
        event.reason === 'stop' ? 'stop' : 'length',
        {
          ...provenance,
          timings: {
            ...provenance.timings,
            first_token_ms: event.timings.first_token_ms ?? 0,
            tokens_per_second: event.timings.tokens_per_second ?? 0,
            // A chain knows what its hops computed, replays included; a turn only what came back in time.
            compute_ms: origin.work ? provenance.timings.compute_ms : event.timings.compute_ms,
          },
        },
        {
          prompt_tokens,
          completion_tokens,
          total_tokens: prompt_tokens + completion_tokens,
          prompt_tokens_details: { cached_tokens: event.cachedTokens },
        },
      );
    }
  }
}

/** All chunks of an answer as one completion. */
export async function collect(chunks: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletion> {
  let content = '';
  let last: ChatCompletionChunk | null = null;
  const trace: TraceEntry[] = [];
  for await (const chunk of chunks) {
    content += chunk.choices[0]?.delta.content ?? '';
    trace.push(...chunk.shoal.trace);
    last = chunk;
  }
  if (!last?.usage) throw new Error('The answer ended without its last chunk.');
  return {
    id: last.id,
    object: 'chat.completion',
    created: last.created,
    model: last.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content },
        finish_reason: last.choices[0]?.finish_reason ?? 'stop',
      },
    ],
    usage: last.usage,
    shoal: { ...last.shoal, trace },
  };
}
