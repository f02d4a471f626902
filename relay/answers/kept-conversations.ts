import { type ChatMessage, lineFor } from '../../src/chat/index.ts';
import type { Clock } from '../../src/swarm/index.ts';
import type { Conversation, RouteTaken } from './conversation.ts';
import { AnswerError, type Question } from './types.ts';

export interface KeptOptions {
  /** Conversations open at once, running or kept for their next question. */
  most: number;
  /** Milliseconds without a question after which one is closed: hosts need their memory for others. */
  idleMs: number;
  clock: Clock;
}

/** A place for one conversation, taken before it is opened. */
export interface Place {
  /** The conversation that fills it. */
  fill(conversation: Conversation): void;
  /** Nothing came of it. */
  free(): void;
}

/** All open conversations: those that run, and those that are kept for their client's next question. */
export class KeptConversations {
  readonly #open = new Set<Conversation>();
  /** Not in use now, least recently used first. */
  #idle: Conversation[] = [];
  #reserved = 0;

  constructor(private readonly options: KeptOptions) {}

  get size(): number {
    return this.#open.size;
  }

  /**
   * The kept conversation that this question continues, out of those of the same client: what another client asked is
   * never found, not even by the time that an answer takes. It is in use until `keep` or `close`.
   * @param capacity tokens that its session must hold
   */
  take({ prompt, client }: Question, cid: string, route: RouteTaken, capacity: number): Conversation | null {
    const own = this.#idle.filter((one) => one.client === client);
    const found =
      'messages' in prompt
        ? lineFor(
            own.filter(({ text }) => text === null),
            { cid, privacy: route, capacity, messages: prompt.messages },
          )
        : textLine(own, prompt.text, { cid, privacy: route, capacity });
    if (!found) return null;
    found.cancelIdle();
    this.#idle = this.#idle.filter((one) => one !== found);
    return found;
  }

  /** @throws AnswerError `busy` when every place is in use by a running answer */
  reserve(): Place {
    const { most } = this.options;
    if (this.#open.size + this.#reserved >= most && !this.closeOldest())
      throw new AnswerError('busy', `${most} conversations are open here. Try again in a moment.`);
    this.#reserved++;
    let reserved = true;
    const free = () => {
      if (reserved) this.#reserved--;
      reserved = false;
    };
    const fill = (conversation: Conversation) => {
      free();
      this.#open.add(conversation);
    };
    return { fill, free };
  }

  /** Closes the kept conversation that was used longest ago. @returns null when none is kept */
  closeOldest(cid?: string): Promise<void> | null {
    const oldest = this.#idle.find((one) => cid === undefined || one.cid === cid);
    return oldest ? this.close(oldest) : null;
  }

  /** Keeps a conversation for the next question. */
  keep(conversation: Conversation, { prompt }: Question, said: string): void {
    if (!this.#open.has(conversation)) return;
    const answer: ChatMessage = { role: 'assistant', content: said };
    if ('messages' in prompt) conversation.messages = [...prompt.messages, answer];
    else conversation.text = prompt.text + said;
    const { clock, idleMs } = this.options;
    conversation.usedAt = clock.now();
    conversation.cancelIdle = clock.after(idleMs, () => void this.close(conversation));
    this.#idle.push(conversation);
  }

  close(conversation: Conversation): Promise<void> {
    this.#open.delete(conversation);
    this.#idle = this.#idle.filter((one) => one !== conversation);
    return conversation.close();
  }

  /** Closes what is kept of models that are not served any more. */
  keepOnly(cids: ReadonlySet<string>): void {
    for (const conversation of [...this.#idle])
      if (!cids.has(conversation.cid)) void this.close(conversation);
  }

  /** Of a model; running ones included. */
  has(cid: string): boolean {
    for (const conversation of this.#open) if (conversation.cid === cid) return true;
    return false;
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open].map((conversation) => this.close(conversation)));
  }
}

/** The conversation whose text is the longest beginning of this one. */
function textLine(
  kept: readonly Conversation[],
  text: string,
  { cid, privacy, capacity }: { cid: string; privacy: RouteTaken; capacity: number },
): Conversation | null {
  let best: Conversation | null = null;
  for (const one of kept) {
    if (one.cid !== cid || one.privacy !== privacy || one.capacity < capacity) continue;
    if (one.text === null || !text.startsWith(one.text)) continue;
    if (!best || one.text.length > best.text!.length) best = one;
  }
  return best;
}
