import { defaultModelHeader } from '../../model/testing/default-model.ts';
import { tokenizerSpecFromGguf } from '../../model/tokenizer/index.ts';
import type { ChatMessage } from '../messages.ts';
import { parseSampling } from '../sampling.ts';
import { ChatTemplate } from '../template.ts';
import { Tokenizer } from '../tokenizer.ts';
import type { Dialogue, TurnEvent, TurnModel, TurnOptions } from '../turn.ts';
import { ArithmeticModel } from './arithmetic-model.ts';

/** The default model's tokenizer and chat template, and models that answer in its tokens. */
export class TurnWorld {
  private constructor(
    readonly tokenizer: Tokenizer,
    readonly template: ChatTemplate,
  ) {}

  static async open(): Promise<TurnWorld> {
    const metadata = (await defaultModelHeader()).metadata;
    return new TurnWorld(
      new Tokenizer(tokenizerSpecFromGguf(metadata)!),
      new ChatTemplate(metadata['tokenizer.chat_template'] as string),
    );
  }

  /** @param maxTokens of prompt and answer */
  readonly modelSaying = (answer: string, maxTokens?: number): ArithmeticModel => {
    const { tokenizer } = this;
    const cue = tokenizer.encode('<|im_start|>assistant\n', { special: true });
    return new ArithmeticModel(
      tokenizer.size,
      cue,
      [...tokenizer.encode(answer, { special: false }), 2],
      maxTokens,
    );
  };
}

export const greedy = parseSampling({ temperature: 0 });
export const user = (content: string): ChatMessage => ({ role: 'user', content });

/** A model of which some methods do something else. */
export function altered(model: TurnModel, by: Partial<TurnModel>): TurnModel {
  return {
    info: model.info,
    open: () => model.open(),
    truncate: (session, length) => model.truncate(session, length),
    close: (session) => model.close(session),
    forward: (session, input, options) => model.forward(session, input, options),
    ...by,
  };
}

/** The whole of a turn: its events, and what they say together. */
export async function read(dialogue: Dialogue, messages: ChatMessage[], options: Partial<TurnOptions> = {}) {
  const events: TurnEvent[] = [];
  for await (const event of dialogue.run(messages, { sampling: greedy, ...options })) events.push(event);
  const done = events.at(-1)!;
  if (done.type !== 'done') throw new Error('no end');
  const text = events.map((event) => (event.type === 'prefill' ? '' : event.text)).join('');
  const ids = events.flatMap((event) => (event.type === 'token' ? [event.id] : []));
  return { events, done, text, ids };
}
