import {
  type FinishReason,
  finite,
  type Head,
  type Shape,
  type TokenEvent,
  tokenText,
  type Usage,
} from './shapes.ts';

interface Logprobs {
  tokens: string[];
  token_logprobs: number[];
  top_logprobs: Record<string, number>[];
  /** Where each token begins in the text of the answer. */
  text_offset: number[];
}

interface Choice<Reason> {
  text: string;
  index: 0;
  logprobs: Logprobs | null;
  finish_reason: Reason;
}

export interface TextChunk extends Head {
  object: 'text_completion';
  choices: Choice<FinishReason | null>[];
  /** Only with `include_usage`; null on all but the last. */
  usage?: Usage | null;
}

export interface TextAnswer extends Head {
  object: 'text_completion';
  choices: Choice<FinishReason>[];
  usage: Usage;
}

/** Before the bytes of half a character; chat completions do without. */
const BYTES = 'bytes:';

/** `text_completion`, whole or in chunks. */
export class TextShape implements Shape {
  readonly #head: Head;
  readonly #includeUsage: boolean;
  readonly #logprobs: boolean;
  readonly #all: Logprobs = noLogprobs();
  #text = '';

  constructor(head: Head, options: { includeUsage: boolean; logprobs: boolean }) {
    this.#head = head;
    this.#includeUsage = options.includeUsage;
    this.#logprobs = options.logprobs;
  }

  begin(): TextChunk[] {
    return [];
  }

  token({ text, logprob }: TokenEvent): TextChunk | null {
    const offset = this.#text.length;
    this.#text += text;
    if (!this.#logprobs || !logprob) return text === '' ? null : this.#chunk(text);
    const one = noLogprobs();
    for (const list of [one, this.#all]) {
      list.tokens.push(tokenText(logprob.bytes, BYTES));
      list.token_logprobs.push(finite(logprob.logprob));
      // Of two tokens with the same text the likelier stays: they come in order.
      const top = Object.create(null) as Record<string, number>;
      for (const { bytes, logprob: value } of logprob.top) top[tokenText(bytes, BYTES)] ??= finite(value);
      list.top_logprobs.push(top);
      list.text_offset.push(offset);
    }
    return this.#chunk(text, one);
  }

  end(text: string, reason: FinishReason): TextChunk[] {
    this.#text += text;
    return [this.#chunk(text, null, reason)];
  }

  usage(usage: Usage): TextChunk {
    return { ...this.#head, object: 'text_completion', choices: [], usage };
  }

  whole(reason: FinishReason, usage: Usage): TextAnswer {
    return {
      ...this.#head,
      object: 'text_completion',
      choices: [
        { text: this.#text, index: 0, logprobs: this.#logprobs ? this.#all : null, finish_reason: reason },
      ],
      usage,
    };
  }

  #chunk(text: string, logprobs: Logprobs | null = null, reason: FinishReason | null = null): TextChunk {
    return {
      ...this.#head,
      object: 'text_completion',
      choices: [{ text, index: 0, logprobs, finish_reason: reason }],
      ...(this.#includeUsage ? { usage: null } : {}),
    };
  }
}

function noLogprobs(): Logprobs {
  return { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
}
