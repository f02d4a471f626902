import { MemoryHistory, MemoryProfile } from '../../../chat/testing/memory-history.ts';
import type { CompletionParameters, Shoal } from '../../../sdk/early.ts';
import { type Tab, Tabs } from '../../../sdk/testing/tabs.ts';
import { tinyModel } from '../../../sdk/testing/tiny-model.ts';
import type { Keep } from '../../keep.ts';
import { SettingsStore } from '../../settings/settings.ts';
import { ChatThread } from '../thread.ts';
import type { ThreadMessage, ThreadState } from '../types.ts';

/** A real engine with a real, if tiny, model, in this process. */
export async function openTinyTab(): Promise<{ tabs: Tabs; tab: Tab }> {
  const tabs = await Tabs.around(tinyModel(2, 0.6));
  const tab = tabs.open({ network: false });
  await tab.shoal.load();
  return { tabs, tab };
}

/** A profile of a browser, and the pages that are open in it; all are answered by one tab's engine. */
export class ThreadWorld {
  readonly profile = new MemoryProfile();
  readonly settings: SettingsStore;
  /** What was asked of the sdk, in order. */
  readonly asked: CompletionParameters[] = [];
  /** The titles that notifications had. */
  readonly notified: string[] = [];
  readonly #tab: Tab;
  readonly #keep: Keep;

  constructor(tab: Tab) {
    this.#tab = tab;
    const values = new Map<string, string>();
    this.#keep = {
      getItem: (name) => values.get(name) ?? null,
      setItem: (name, value) => void values.set(name, value),
      removeItem: (name) => void values.delete(name),
    };
    this.settings = new SettingsStore(this.#keep);
    this.settings.change({ temperature: 0, maxTokens: 12 });
  }

  /** The real sdk, which notes what it is asked. */
  readonly shoal = (
    change: (given: CompletionParameters) => CompletionParameters = (given) => given,
  ): Shoal => {
    const { status, chat } = this.#tab.shoal;
    const create = (given: CompletionParameters) => {
      this.asked.push(given);
      return chat.completions.create(change(given));
    };
    return { status, chat: { completions: { create } } } as unknown as Shoal;
  };

  /** A tab of the profile with its page, as main.tsx makes it; a tab without one is one that another browser tab has. */
  readonly page = (from: { profile?: MemoryProfile; shoal?: Shoal } = {}): ChatThread =>
    new ChatThread({
      shoal: from.shoal ?? this.shoal(),
      history: new MemoryHistory(from.profile ?? this.profile),
      settings: this.settings,
      keep: this.#keep,
      pwa: { notifyDone: (title) => void this.notified.push(title) },
      frames: (callback) => void setImmediate(callback),
    });
}

/** The texts of all messages. */
export const said = ({ state }: ChatThread) => state.get().messages.map(({ content }) => content);
export const last = ({ state }: ChatThread) => state.get().messages.at(-1)!;

/** Does something once, when the state is as wanted for the first time. */
export function once(thread: ChatThread, wanted: (state: ThreadState) => boolean, work: () => void): void {
  const off = thread.state.subscribe((state) => {
    if (!wanted(state)) return;
    off();
    work();
  });
}
/** Whether the last answer has begun and is still being said. */
export const streams = ({ messages }: ThreadState) => messages.at(-1)?.state === 'streaming';

/** What a page shows, without what is made anew at each load. */
export function plainState(thread: ChatThread) {
  const { messages, ...state } = thread.state.get();
  const shown = messages.map(({ happened, ...each }: ThreadMessage) => ({
    ...each,
    how: happened?.answerTokens,
  }));
  return { ...state, messages: shown };
}

/** A part of an answer, as the sdk streams it. */
export function chunk(content: string, done = false) {
  return {
    model: 'tiny',
    choices: [{ index: 0, delta: { content }, finish_reason: done ? 'stop' : null }],
    shoal: { route: 'local', token_ids: [1], trace: [], recoveries: 0 },
  };
}
