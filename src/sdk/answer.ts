import type { TurnEvent } from '../chat/index.ts';
import type { ChatCompletion, ChatCompletionChunk, FinishReason, Provenance, Usage } from './types.ts';

/** The identity that every chunk of one answer shares. */
export interface AnswerHead {
  id: string;
  /** Seconds since 1970. */
  created: number;
  model: string;
}

/** Turns the events of a turn into OpenAI chunks, each with how the answer came about so far. */
export async function* chunksOf(
  head: AnswerHead,
  events: AsyncIterable<TurnEvent>,
  clock: { now(): number; recoveries(): number },
): AsyncGenerator<ChatCompletionChunk> {
  const started = clock.now();
  const ids: number[] = [];
  let firstAt = 0;
  const soFar = (): Provenance => {
    const seconds = (clock.now() - firstAt) / 1000;
    return {
      route: 'local',
      hops: [],
      token_ids: ids.slice(),
      timings: {
        first_token_ms: ids.length ? firstAt - started : 0,
        tokens_per_second: ids.length > 1 && seconds > 0 ? (ids.length - 1) / seconds : 0,
        compute_ms: 0,
        wire_ms: 0,
      },
      recoveries: clock.recoveries(),
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
      if (ids.length === 0) firstAt = clock.now();
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
            first_token_ms: event.timings.first_token_ms ?? 0,
            tokens_per_second: event.timings.tokens_per_second ?? 0,
            compute_ms: event.timings.compute_ms,
            wire_ms: 0,
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
  for await (const chunk of chunks) {
    content += chunk.choices[0]?.delta.content ?? '';
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
    shoal: last.shoal,
  };
}
