import type { ChatHistory, Conversation, KeptMessage } from '../chat/index.ts';
import { Cell, randomId, type Shoal, type ShoalError, toShoalError } from '../sdk/index.ts';
import { formatProvenance } from './format.ts';
import type { Settings } from './settings.ts';

/** Milliseconds between saves of an answer that is still streaming: what a crash may cost. */
const SAVE_EVERY_MS = 1000;
/** Characters of a conversation's title. */
const TITLE_CHARACTERS = 60;

/** One turn as the page shows it. */
export interface Turn {
  id: string;
  role: 'user' | 'assistant';
  content: string;
  /** `waiting`: for the model or for the first token. `stopped`: by the user, or by a reload. */
  state: 'done' | 'waiting' | 'streaming' | 'stopped' | 'limit' | 'failed';
  /** How it came about, in one line; kept with it, for the model may change later. */
  route: string;
  /** Why the automatic route took the network, null when it did not. */
  reason: string | null;
  error: ShoalError | null;
}

export interface ChatState {
  id: string;
  turns: Turn[];
  busy: boolean;
  /** Earlier conversations, the newest first. */
  earlier: { id: string; title: string; updatedAt: number }[];
  /** Why conversations are not kept, null when they are. */
  notKept: string | null;
  /** The last finished answer, for a screen reader to say once. */
  announcement: string;
  /** A question taken back, for the composer to show again. */
  returned: string | null;
}

/** The conversation on the page: sends turns, streams answers, keeps everything over a reload. */
export class ChatStore {
  readonly state = new Cell<ChatState>({
    id: randomId(),
    turns: [],
    busy: false,
    earlier: [],
    notKept: null,
    announcement: '',
    returned: null,
  });
  #running: AbortController | null = null;
  #createdAt = Date.now();
  #savedAt = 0;
  /** Deleted while an answer was still running out, whose last save must not bring them back. */
  readonly #removed = new Set<string>();

  constructor(
    private readonly shoal: Shoal,
    private readonly history: ChatHistory,
    private readonly settings: () => Settings,
  ) {}

  /** Brings back the conversation that was open last. */
  async restore(): Promise<void> {
    await this.#keep(async () => {
      const [latest] = await this.history.list();
      if (latest && this.state.get().turns.length === 0) await this.#show(latest.id);
      await this.#list();
    });
  }

  async open(id: string): Promise<void> {
    this.stop();
    await this.#keep(() => this.#show(id));
  }

  async remove(id: string): Promise<void> {
    this.#removed.add(id);
    if (this.state.get().id === id) this.newChat();
    await this.#keep(async () => {
      await this.history.remove(id);
      await this.#list();
    });
  }

  newChat(): void {
    this.stop();
    this.#createdAt = Date.now();
    this.state.update({ id: randomId(), turns: [], busy: false, announcement: '' });
  }

  stop(): void {
    this.#running?.abort();
  }

  async send(text: string): Promise<void> {
    const content = text.trim();
    if (!content || this.state.get().busy) return;
    const turns = [...this.state.get().turns, turn('user', content, 'done')];
    await this.#answer(turns);
  }

  /** Asks the last question again, in place of the answer that failed or was stopped. */
  async retry(): Promise<void> {
    const { turns, busy } = this.state.get();
    if (busy || turns.at(-1)?.role !== 'assistant') return;
    await this.#answer(turns.slice(0, -1));
  }

  /** Takes the last question back into the composer, with the answer that failed or was stopped. */
  async takeBack(): Promise<void> {
    const { id, turns, busy } = this.state.get();
    const [question, answer] = turns.slice(-2);
    if (busy || question?.role !== 'user' || answer?.role !== 'assistant') return;
    const kept = turns.slice(0, -2);
    this.state.update({ turns: kept, announcement: '', returned: question.content });
    if (kept.length > 0) await this.#save(id, kept);
    else await this.#keep(() => this.history.remove(id).then(() => this.#list()));
  }

  async #answer(asked: Turn[]): Promise<void> {
    const id = this.state.get().id;
    const control = new AbortController();
    this.#running = control;
    let answer = turn('assistant', '', 'waiting');
    const show = (change: Partial<Turn>) => {
      answer = { ...answer, ...change };
      // A conversation that was left while its answer ran out is not touched.
      if (this.state.get().id === id) this.state.update({ turns: [...asked, answer] });
    };
    this.state.update({ turns: [...asked, answer], busy: true, announcement: '' });
    await this.#save(id, asked);
    try {
      const { temperature, maxTokens, route, privacy } = this.settings();
      const chunks = await this.shoal.chat.completions.create({
        messages: asked.filter(hasText).map(({ role, content }) => ({ role, content })),
        temperature,
        max_tokens: maxTokens,
        route,
        privacy,
        stream: true,
        signal: control.signal,
      });
      let content = '';
      for await (const chunk of chunks) {
        const choice = chunk.choices[0];
        content += choice?.delta.content ?? '';
        show({
          content,
          state: 'streaming',
          route: formatProvenance(chunk.shoal, this.shoal.status.get().engine?.backend ?? null),
          reason: chunk.shoal.reason,
        });
        if (choice?.finish_reason) show({ state: choice.finish_reason === 'length' ? 'limit' : 'done' });
        await this.#saveNowAndThen(id, [...asked, answer]);
      }
    } catch (error) {
      const told = toShoalError(error);
      if (told.code === 'aborted' && control.signal.aborted) show({ state: 'stopped' });
      else show({ state: 'failed', error: told });
    } finally {
      if (this.#running === control) this.#running = null;
      if (this.state.get().id === id) {
        const said = answer.state === 'failed' ? answer.error?.message : answer.content;
        this.state.update({ busy: false, announcement: said ?? '' });
      }
      await this.#save(id, [...asked, answer]);
    }
  }

  async #saveNowAndThen(id: string, turns: Turn[]): Promise<void> {
    if (Date.now() - this.#savedAt >= SAVE_EVERY_MS) await this.#save(id, turns);
  }

  async #save(id: string, turns: Turn[]): Promise<void> {
    if (this.#removed.has(id)) return;
    const now = Date.now();
    this.#savedAt = now;
    const conversation: Conversation = {
      id,
      title: (turns[0]?.content ?? '').replace(/\s+/g, ' ').slice(0, TITLE_CHARACTERS),
      createdAt: this.#createdAt,
      updatedAt: now,
      model: this.shoal.status.get().model?.id ?? '',
      messages: turns.map(toMessage),
    };
    await this.#keep(async () => {
      await this.history.save(conversation);
      await this.#list();
    });
  }

  async #show(id: string): Promise<void> {
    const found = await this.history.load(id);
    if (!found) return;
    this.#createdAt = found.createdAt;
    this.state.update({ id, turns: fromMessages(found.messages), busy: false, announcement: '' });
  }

  async #list(): Promise<void> {
    const list = await this.history.list();
    this.state.update({ earlier: list.map(({ id, title, updatedAt }) => ({ id, title, updatedAt })) });
  }

  /** Runs something on the history; when it cannot be kept the chat goes on and says so. */
  async #keep(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (this.state.get().notKept) this.state.update({ notKept: null });
    } catch (error) {
      this.state.update({ notKept: error instanceof Error ? error.message : String(error) });
    }
  }
}

function turn(role: Turn['role'], content: string, state: Turn['state']): Turn {
  return { id: randomId(), role, content, state, route: '', reason: null, error: null };
}

/** An answer that failed before its first word tells the model nothing. */
function hasText({ content }: Turn): boolean {
  return content !== '';
}

function toMessage({ role, content, route }: Turn): KeptMessage {
  return route ? { role, content, route } : { role, content };
}

function fromMessages(messages: readonly KeptMessage[]): Turn[] {
  const turns: Turn[] = [];
  for (const { role, content, route } of messages) {
    if (role !== 'user' && role !== 'assistant') continue;
    turns.push({ ...turn(role, content, content ? 'done' : 'stopped'), route: route ?? '' });
  }
  // A question without an answer: the page was left before its first word.
  if (turns.at(-1)?.role === 'user') turns.push(turn('assistant', '', 'stopped'));
  return turns;
}
