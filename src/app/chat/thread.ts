import type { ChatHistory, Conversation, HistoryChange, HistoryEvent } from '../../chat/web.ts';
import { Cell, type Shoal } from '../../sdk/early.ts';
import type { Keep } from '../keep.ts';
import type { Pwa } from '../pwa/types.ts';
import type { SettingsStore } from '../settings/settings.ts';
import { Answering, type Asked } from './answering.ts';
import { type NextFrame, nextFrame, OncePerFrame } from './frames.ts';
import { LastOpen } from './last-open.ts';
import { newMessage, OpenChat } from './open-chat.ts';
import { OtherTabs } from './other-tabs.ts';
import { requestMessages } from './request.ts';
import { titleOf } from './title.ts';
import type { Attachment, ChatOptions, Thread, ThreadMessage, ThreadState } from './types.ts';

/** Milliseconds between saves of an answer that is still streaming: what a crash may cost. */
const SAVE_EVERY_MS = 1000;
/** Milliseconds that an answer takes before one is told that it is done. */
const LONG_MS = 10_000;
/** Characters of an answer in a notification. */
const TOLD_CHARACTERS = 140;
/** Answers looked at for the tokens in use: the last ones may have ended without telling. */
const USAGE_LOOKS = 8;

export interface ThreadDoors {
  shoal: Shoal;
  history: ChatHistory;
  settings: Pick<SettingsStore, 'get'>;
  keep: Keep;
  pwa: Pick<Pwa, 'notifyDone'>;
  /** When the next picture is drawn. */
  frames?: NextFrame;
}

/** An answer that is being given, and where. */
interface Running {
  chat: OpenChat;
  answering: Answering;
  frame: OncePerFrame;
  savedAt: number;
}

/** The conversation on the page: sends questions, streams answers, keeps everything over a reload. */
export class ChatThread implements Thread {
  readonly state: Cell<ThreadState>;
  readonly #lastOpen: LastOpen;
  readonly #tabs: OtherTabs;
  readonly #frames: NextFrame;
  #chat: OpenChat;
  #running: Running | null = null;
  /** Chats that were left with something unsaved, or whose answer is still ending. */
  readonly #left = new Map<string, OpenChat>();
  /** The branch on the page. */
  #path: ThreadMessage[] = [];
  /** Rises with everything that puts another conversation on the page. */
  #turn = 0;

  constructor(private readonly doors: ThreadDoors) {
    this.#frames = doors.frames ?? nextFrame;
    this.#lastOpen = new LastOpen(doors.keep);
    this.#tabs = new OtherTabs(doors.history);
    this.#chat = new OpenChat(doors.history, { temporary: false });
    this.state = new Cell(this.#stateOf(this.#chat));
    doors.history.subscribe((event, here) => this.#heard(event, here));
    // The last moments at which a page that goes away may write.
    globalThis.addEventListener?.('pagehide', () => this.#keepRunning());
    globalThis.document?.addEventListener('visibilitychange', () => this.#keepRunning());
  }

  /** Brings back the conversation that was open last; not over one that was begun meanwhile. Does not throw. */
  async restore(): Promise<void> {
    const last = this.#lastOpen.get();
    if (last === '') return;
    await this.#bring(async () => {
      if (last !== null) return this.doors.history.load(last);
      const [newest] = await this.doors.history.list();
      return newest ? this.doors.history.load(newest.id) : null;
    });
  }

  async open(id: string): Promise<void> {
    if (id === this.#chat.id) return;
    const left = this.#left.get(id);
    this.stop();
    if (left) this.#show(left);
    else await this.#bring(() => this.doors.history.load(id));
  }

  newChat({ temporary = false }: { temporary?: boolean } = {}): void {
    this.stop();
    this.#show(new OpenChat(this.doors.history, { temporary }));
  }

  branches(id: string): readonly string[] {
    return this.#chat.tree.siblings(id);
  }

  switchTo(id: string): void {
    if (this.#busy || !this.#chat.tree.get(id)) return;
    this.#chat.choose(this.#chat.tree.newest(id));
    this.#update();
    void this.#save(this.#chat);
  }

  async send(text: string, attachments: readonly Attachment[] = []): Promise<void> {
    await this.#ask(text, attachments, this.#chat.head);
  }

  async edit(id: string, text: string): Promise<void> {
    const question = this.#chat.tree.get(id);
    if (question?.role === 'user') await this.#ask(text, question.attachments, question.parent);
  }

  async retry(id: string): Promise<void> {
    const message = this.#chat.tree.get(id);
    if (!message) return;
    // An answer without a word is not worth a branch: the new one takes its place.
    const empty = message.role === 'assistant' && message.content === '' && message.state !== 'streaming';
    const question = message.role === 'user' ? message.id : message.parent;
    await this.#answer(
      empty ? { ...message, error: null, happened: null } : newMessage('assistant', question),
    );
  }

  async continue(id: string): Promise<void> {
    const message = this.#chat.tree.get(id);
    if (message?.role !== 'assistant' || !['stopped', 'limit', 'failed'].includes(message.state)) return;
    // What comes below was said to the answer as it is.
    if (this.#chat.tree.children(id).length > 0) return;
    await this.#answer({ ...message, error: null });
  }

  stop(): void {
    this.#running?.answering.stop();
  }

  answerNow(): void {
    this.#running?.answering.answerNow();
  }

  async takeBack(): Promise<void> {
    const [question, answer] = this.#path.slice(-2);
    if (this.#busy || question?.role !== 'user' || answer?.role !== 'assistant') return;
    if (answer.state !== 'failed' && answer.state !== 'stopped') return;
    const chat = this.#chat;
    const alone = chat.tree.siblings(answer.id).length === 1;
    // A question that has other answers stays as a branch.
    if (alone) chat.remove(question.id);
    chat.choose(question.parent);
    this.#update({ returned: question.content, returnedAttachments: question.attachments });
    await this.#save(chat);
  }

  setOptions(change: Partial<ChatOptions>): void {
    const chat = this.#chat;
    chat.options = { ...chat.options, ...change };
    const { system, ...sampling } = chat.options;
    chat.change({ system, sampling });
    this.state.update(chat.options);
    if (chat.kept) void this.#save(chat);
  }

  /** The conversation on the page as it would be kept; for one that cannot be. */
  snapshot(): Conversation {
    return this.#chat.whole();
  }

  get #busy(): boolean {
    return this.#running?.chat === this.#chat;
  }

  async #ask(text: string, attachments: readonly Attachment[], parent: string | null): Promise<void> {
    const content = text.trim();
    if (this.#busy || (content === '' && attachments.length === 0)) return;
    const chat = this.#chat;
    const question = newMessage('user', parent, { content, attachments: [...attachments] });
    if (chat.tree.size === 0 && !chat.renamed) {
      chat.title = titleOf(content || (attachments[0]?.name ?? ''));
      chat.change({ title: chat.title });
    }
    chat.put(question);
    await this.#answer(newMessage('assistant', question.id));
  }

  /** Gives an answer, which has words already when it is to be continued. */
  async #answer(first: ThreadMessage): Promise<void> {
    if (this.#busy) return;
    const chat = this.#chat;
    const before = chat.tree.path(first.parent);
    const since = Date.now();
    const asked = this.#asked(chat, first.content === '' ? before : [...before, first]);
    const continued = first.content === '' ? {} : { continue_final_message: true };
    const answering = new Answering(this.doors.shoal, { ...asked, ...continued }, first, () => frame.ask());
    const frame = new OncePerFrame(() => this.#grow(running), this.#frames);
    const running: Running = { chat, answering, frame, savedAt: since };
    // Another chat's answer, which was stopped when that was left, ends by itself.
    this.#running = running;
    this.#turn++;
    chat.put(answering.message());
    chat.head = first.id;
    chat.touch(this.#model);
    this.#update({ returned: null, returnedAttachments: [] });
    this.#lastOpen.set(chat.temporary ? '' : chat.id);
    const release = chat.temporary ? () => {} : this.doors.history.hold(first.id);
    void this.#save(chat);
    const done = await answering.run();
    frame.drop();
    if (this.#running === running) this.#running = null;
    chat.put(done);
    chat.touch(done.happened?.model ?? this.#model);
    if (chat === this.#chat) this.#update();
    if (Date.now() - since >= LONG_MS) this.#tell(chat, done);
    await this.#save(chat);
    release();
  }

  #asked(chat: OpenChat, branch: readonly ThreadMessage[]): Asked {
    const settings = this.doors.settings.get();
    const { system, temperature, topP, maxTokens, seed } = chat.options;
    return {
      messages: requestMessages(system, branch),
      temperature: temperature ?? settings.temperature,
      top_p: topP ?? settings.topP,
      max_tokens: maxTokens ?? settings.maxTokens,
      ...(seed === null ? {} : { seed }),
      route: settings.route,
      privacy: settings.privacy,
      while_loading: settings.whileLoading === 'network' ? 'network' : 'wait',
    };
  }

  /** Shows an answer as far as it has come. The history behind it is not looked at, whatever its length. */
  #grow(running: Running): void {
    const { chat, answering } = running;
    const message = answering.message();
    chat.put(message);
    if (chat === this.#chat) {
      this.#path = this.#path.with(-1, message);
      this.state.update({ messages: this.#path });
    }
    const now = Date.now();
    if (now - running.savedAt < SAVE_EVERY_MS) return;
    running.savedAt = now;
    void this.#save(chat);
  }

  #keepRunning(): void {
    if (!this.#running) return;
    this.#running.savedAt = 0;
    this.#running.frame.ask();
    this.#running.frame.now();
  }

  #tell(chat: OpenChat, { state, content }: ThreadMessage): void {
    if (!this.doors.settings.get().notify || (state !== 'done' && state !== 'limit')) return;
    this.doors.pwa.notifyDone(chat.title, content.slice(0, TOLD_CHARACTERS));
  }

  /** Loads a conversation and puts it on the page, unless another one got there first. */
  async #bring(load: () => Promise<Conversation | null>): Promise<void> {
    const turn = ++this.#turn;
    try {
      const found = await load();
      if (turn !== this.#turn || !found) return;
      const chat = new OpenChat(this.doors.history, found);
      this.#show(chat);
      await this.#tabs.follow(chat, found.messages, () => this.#changedElsewhere(chat));
    } catch (error) {
      if (turn === this.#turn) this.state.update({ notKept: messageOf(error) });
    }
  }

  #show(chat: OpenChat): void {
    const left = this.#chat;
    if (left.unsaved || this.#running?.chat === left) this.#left.set(left.id, left);
    this.#left.delete(chat.id);
    this.#turn++;
    this.#chat = chat;
    this.#lastOpen.set(chat.kept ? chat.id : '');
    this.#update({ returned: null, returnedAttachments: [] });
  }

  /** Shows the conversation anew: another branch, another length. */
  #update(change: Partial<ThreadState> = {}): void {
    const state = this.#stateOf(this.#chat);
    const { returned, returnedAttachments } = this.state.get();
    this.state.update({ ...state, returned, returnedAttachments, ...change });
  }

  #stateOf(chat: OpenChat): ThreadState {
    this.#path = chat.tree.path(chat.head);
    return {
      ...chat.options,
      id: chat.id,
      title: chat.title,
      temporary: chat.temporary,
      messages: this.#path,
      busy: this.#running?.chat === chat,
      notKept: chat.notKept,
      returned: null,
      returnedAttachments: [],
      usedTokens: usedTokens(this.#path),
    };
  }

  async #save(chat: OpenChat): Promise<void> {
    await chat.save();
    if (chat === this.#chat && this.state.get().notKept !== chat.notKept) {
      this.state.update({ notKept: chat.notKept });
    }
    if (chat !== this.#chat && !chat.unsaved && this.#running?.chat !== chat) this.#left.delete(chat.id);
  }

  /** A change in the store, made by this tab's list or by another tab. */
  #heard(event: HistoryEvent, here: boolean): void {
    const chats = [this.#chat, ...this.#left.values()];
    if (event.kind === 'changed') {
      for (const change of event.changes) {
        const chat = chats.find(({ id }) => id === change.header.id);
        if (chat) this.#changed(chat, change, here);
      }
      return;
    }
    for (const chat of chats) {
      // Who deletes everything means what could not be kept as well; a temporary chat is no part of it.
      const deleted =
        event.kind === 'cleared' ? !chat.temporary && chat.tree.size > 0 : chat.kept && event.id === chat.id;
      if (!deleted) {
        // There may be room now for what was not kept.
        if (chat.unsaved) void this.#save(chat);
        continue;
      }
      chat.forget();
      this.#left.delete(chat.id);
      if (chat === this.#chat) this.newChat();
    }
  }

  #changed(chat: OpenChat, change: HistoryChange, here: boolean): void {
    this.#tabs.takeHeader(chat, change.header, here);
    if (chat === this.#chat) this.state.update({ title: chat.title, ...chat.options });
    if (!here) void this.#tabs.take(chat, change, this.#answerIn(chat), () => this.#changedElsewhere(chat));
  }

  #changedElsewhere(chat: OpenChat): void {
    if (chat === this.#chat) this.#update();
  }

  #answerIn(chat: OpenChat): string | null {
    return this.#running?.chat === chat ? this.#running.answering.id : null;
  }

  get #model(): string {
    return this.doors.shoal.status.get().model?.id ?? '';
  }
}

/** Prompt and answer of the last answer that told them. */
function usedTokens(path: readonly ThreadMessage[]): number | null {
  let looks = 0;
  for (let i = path.length - 1; i >= 0 && looks < USAGE_LOOKS; i--) {
    const message = path[i]!;
    if (message.role !== 'assistant') continue;
    looks++;
    const { happened } = message;
    if (happened && happened.promptTokens > 0) return happened.promptTokens + happened.answerTokens;
  }
  return null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
