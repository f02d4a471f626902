import {
  type ChatTokenLogprob,
  chatLogprob,
  type FinishReason,
  type Head,
  type Shape,
  type TokenEvent,
  type Usage,
} from './shapes.ts';

interface ContentLogprob extends ChatTokenLogprob {
  top_logprobs: ChatTokenLogprob[];
}
interface Logprobs {
  content: ContentLogprob[];
  refusal: null;
}

export interface ChatChunk extends Head {
  object: 'chat.completion.chunk';
  choices: {
    index: 0;
    delta: { role?: 'assistant'; content?: string; refusal?: null };
    logprobs: Logprobs | null;
    finish_reason: FinishReason | null;
  }[];
  /** Only with `include_usage`; null on all but the last. */
  usage?: Usage | null;
}

export interface ChatAnswer extends Head {
  object: 'chat.completion';
  choices: {
    index: 0;
    message: { role: 'assistant'; content: string; refusal: null };
    logprobs: Logprobs | null;
    finish_reason: FinishReason;
  }[];
  usage: Usage;
}

/** `chat.completion` and `chat.completion.chunk`. */
export class ChatShape implements Shape {
  readonly #head: Head;
  readonly #includeUsage: boolean;
  readonly #logprobs: boolean;
  #text = '';
  readonly #tokens: ContentLogprob[] = [];

  constructor(head: Head, options: { includeUsage: boolean; logprobs: boolean }) {
    this.#head = head;
    this.#includeUsage = options.includeUsage;
    this.#logprobs = options.logprobs;
  }

  begin(): ChatChunk[] {
    return [this.#chunk({ role: 'assistant', content: '', refusal: null })];
  }

  token({ text, logprob }: TokenEvent): ChatChunk | null {
    this.#text += text;
    if (!this.#logprobs || !logprob) return text === '' ? null : this.#chunk({ content: text });
    const entry = { ...chatLogprob(logprob), top_logprobs: logprob.top.map(chatLogprob) };
    this.#tokens.push(entry);
    return this.#chunk({ content: text }, { content: [entry], refusal: null });
  }

  end(text: string, reason: FinishReason): ChatChunk[] {
    this.#text += text;
    const last = this.#chunk({}, null, reason);
    return text === '' ? [last] : [this.#chunk({ content: text }), last];
  }

  usage(usage: Usage): ChatChunk {
    return { ...this.#head, object: 'chat.completion.chunk', choices: [], usage };
  }

  whole(reason: FinishReason, usage: Usage): ChatAnswer {
    return {
      ...this.#head,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: this.#text, refusal: null },
          logprobs: this.#logprobs ? { content: this.#tokens, refusal: null } : null,
          finish_reason: reason,
        },
      ],
      usage,
    };
  }

  #chunk(
    delta: ChatChunk['choices'][0]['delta'],
    logprobs: Logprobs | null = null,
    reason: FinishReason | null = null,
  ): ChatChunk {
    return {
      ...this.#head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, logprobs, finish_reason: reason }],
      ...(this.#includeUsage ? { usage: null } : {}),
    };
  }
}
