import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { ChatError } from './errors.ts';
import type { ChatMessage } from './messages.ts';
import type { Tokenizer } from './tokenizer.ts';

/** The longest template in use (Llama 3.3 with tools) has 4 KB; the richest of 2025 have 20. */
export const MAX_TEMPLATE = 256 * 1024;
/** Nodes evaluated per rendering, and a share for each message: a hundred times what the richest template takes. */
const MAX_STEPS = 200_000;
const STEPS_PER_MESSAGE = 20_000;
const MAX_RANGE = 10_000;
const MAX_LIST = 100_000;
/** Milliseconds; a rendering takes one or two. */
const MAX_TIME = 2_000;
/** What a template may add to the text of the messages, in UTF-16 units. */
const MAX_ADDED_TEXT = 256 * 1024;

const FALLBACK_NOTE =
  'This model file has no chat template. A plain one is used ("User: … Assistant: …"), so answers may be worse.';

/** Turns a conversation into the token ids of the prompt of its next answer. */
export class ChatTemplate {
  /** What to tell the user about this template, or null. */
  readonly note: string | null;
  /** Texts that end an answer, beyond the model's stop tokens. */
  readonly stop: readonly string[];
  readonly #program: ReturnType<typeof parse> | null;
  readonly #now: () => Date;

  /**
   * @param source the model's Jinja template; null for the plain fallback
   * @throws ChatError `template` when it is too long or no Jinja
   */
  constructor(source: string | null, options: { now?: () => Date } = {}) {
    this.#now = options.now ?? (() => new Date());
    this.note = source === null ? FALLBACK_NOTE : null;
    this.stop = source === null ? ['\nUser:', '\nSystem:'] : [];
    if (source !== null && source.length > MAX_TEMPLATE) {
      throw templateError(`it is ${source.length} characters long, more than ${MAX_TEMPLATE}`);
    }
    try {
      this.#program =
        source === null ? null : parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
    } catch (cause) {
      throw templateError(reason(cause), cause);
    }
  }

  /**
   * Token ids of the conversation, up to where the answer begins. Control tokens that someone typed into a message
   * stay text; only those that the template writes become control tokens.
   * @throws ChatError `template` when the template refuses these messages or does not come to an end
   */
  encode(messages: readonly ChatMessage[], tokenizer: Tokenizer): number[] {
    const safe = messages.map(({ role, content }) => ({ role, content: tokenizer.protect(content) }));
    const bos = tokenizer.addBos ? (tokenizer.bosToken ?? '') : '';
    const prompt = this.#program ? this.#render(this.#program, safe, tokenizer) : plainPrompt(safe, bos);
    return tokenizer.encodePrompt(prompt);
  }

  /**
   * Token ids of a conversation whose last message is the beginning of an answer, in two parts: the prompt of that
   * answer, and its beginning. They are not rendered together and cut behind the last message, as Hugging Face's
   * `continue_final_message` does: templates trim an answer, take its thoughts out, or write an empty thought before
   * it, and the model would go on behind something that it never wrote. (llama.cpp's server does the same.)
   * @throws ChatError `bad-request` when the last message is no answer with text, `template` as `encode`
   */
  encodeContinued(
    messages: readonly ChatMessage[],
    tokenizer: Tokenizer,
  ): { prompt: number[]; begun: number[] } {
    const last = messages.at(-1);
    if (last?.role !== 'assistant' || last.content === '') {
      throw new ChatError(
        'bad-request',
        'Only an answer that has begun can be continued: the last message must be the assistant’s and not be empty.',
      );
    }
    return {
      prompt: this.encode(messages.slice(0, -1), tokenizer),
      begun: tokenizer.encode(last.content, { special: false }),
    };
  }

  #render(
    program: ReturnType<typeof parse>,
    messages: readonly ChatMessage[],
    { bosToken, eosToken }: Tokenizer,
  ): string {
    const environment = new Environment();
    const variables: Record<string, unknown> = {
      true: true,
      True: true,
      false: false,
      False: false,
      none: null,
      None: null,
      raise_exception: (message: unknown) => {
        throw new Error(typeof message === 'string' ? message.slice(0, 300) : 'it refused the conversation');
      },
      range: boundedRange,
      strftime_now: (format: string) => formatDate(this.#now(), String(format).slice(0, 200)),
      messages,
      bos_token: bosToken ?? '',
      eos_token: eosToken ?? '',
      add_generation_prompt: true,
    };
    for (const [name, value] of Object.entries(variables)) environment.set(name, value);
    const length = messages.reduce((sum, { content }) => sum + content.length, 0);
    const steps = MAX_STEPS + STEPS_PER_MESSAGE * messages.length;
    try {
      const rendered = new BoundedInterpreter(environment, steps, length + MAX_ADDED_TEXT).run(program);
      return String(rendered.value);
    } catch (cause) {
      throw templateError(reason(cause), cause);
    }
  }
}

/** Stops a template that runs on: by steps, by time, and by the size of what it makes. */
class BoundedInterpreter extends Interpreter {
  readonly #deadline = Date.now() + MAX_TIME;
  #steps = 0;

  constructor(
    environment: Environment,
    readonly maxSteps: number,
    readonly maxLength: number,
  ) {
    super(environment);
  }

  override evaluate(...args: Parameters<Interpreter['evaluate']>): ReturnType<Interpreter['evaluate']> {
    // The clock is read at each step: one step may be a loop of 10,000 empty turns.
    if (++this.#steps > this.maxSteps || Date.now() > this.#deadline) {
      throw new Error('it does not come to an end');
    }
    const result = super.evaluate(...args);
    const value: unknown = result.value;
    if (typeof value === 'string' && value.length > this.maxLength)
      throw new Error('it makes too long a text');
    if (Array.isArray(value) && value.length > MAX_LIST) throw new Error('it makes too long a list');
    return result;
  }
}

function boundedRange(...bounds: unknown[]): number[] {
  const numbers = bounds.filter((bound) => typeof bound === 'number');
  const [start, stop] = numbers.length < 2 ? [0, numbers[0] ?? 0] : [numbers[0]!, numbers[1]!];
  const step = numbers[2] ?? 1;
  if (step === 0) throw new Error('range() needs a step');
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= MAX_RANGE)) throw new Error('it counts too far');
  return Array.from({ length: count }, (_, i) => start + i * step);
}

function plainPrompt(messages: readonly ChatMessage[], bos: string): string {
  const names = { system: 'System', user: 'User', assistant: 'Assistant', tool: 'Tool' };
  return `${bos}${messages.map(({ role, content }) => `${names[role]}: ${content}\n`).join('')}Assistant:`;
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 300) : 'it failed';
}

function templateError(why: string, cause?: unknown): ChatError {
  return new ChatError(
    'template',
    `The model's chat template cannot be used for this conversation: ${why}. Start a new chat, or choose another model.`,
    { cause },
  );
}

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** The directives of strftime that chat templates use. */
function formatDate(date: Date, format: string): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const values: Record<string, string> = {
    Y: String(date.getFullYear()),
    m: two(date.getMonth() + 1),
    d: two(date.getDate()),
    H: two(date.getHours()),
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
    B: MONTHS[date.getMonth()]!,
    b: MONTHS[date.getMonth()]!.slice(0, 3),
    A: DAYS[date.getDay()]!,
    a: DAYS[date.getDay()]!.slice(0, 3),
    '%': '%',
  };
  return format.replace(/%([a-zA-Z%])/g, (directive, letter: string) => values[letter] ?? directive);
}
