import type { Observable, Provenance, ShoalError } from '../../sdk/index.ts';

/** A text file that was put to a question; the model reads it before the question. */
export interface Attachment {
  name: string;
  text: string;
}

export type MessageState = 'done' | 'waiting' | 'streaming' | 'stopped' | 'limit' | 'failed';

/** How an answer came about; kept with it. The trace may have been shortened. */
export type Happened = Omit<Provenance, 'token_ids'> & {
  model: string;
  /** What ran this tab's part: WebGPU or WASM, null when nothing ran here. */
  backend: string | null;
  promptTokens: number;
  answerTokens: number;
};

/** One message of a conversation, which is a tree: an edit or a retry adds a sibling. */
export interface ThreadMessage {
  id: string;
  /** Null for a first message. */
  parent: string | null;
  role: 'user' | 'assistant';
  content: string;
  attachments: readonly Attachment[];
  /** `waiting`: for the model or for the first token. `stopped`: by the user, or by a reload. */
  state: MessageState;
  error: ShoalError | null;
  happened: Happened | null;
  /** The same in one line, of an answer from before `happened` was kept. */
  route?: string;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** Sampling of one chat; what is null comes from the settings. */
export interface ChatOptions {
  /** System prompt; '' for none. */
  system: string;
  temperature: number | null;
  topP: number | null;
  maxTokens: number | null;
  seed: number | null;
}

export interface ThreadState extends ChatOptions {
  id: string;
  title: string;
  /** Not kept, and gone with the next chat. */
  temporary: boolean;
  /** From the first message to the newest, along the chosen branches. */
  messages: readonly ThreadMessage[];
  busy: boolean;
  /** Why this conversation is not kept, null when it is. */
  notKept: string | null;
  /** Text taken back for the composer to show again, null when there is none. */
  returned: string | null;
  /** The attachments of that question. */
  returnedAttachments: readonly Attachment[];
  /** Tokens in use after the last answer, null before it. */
  usedTokens: number | null;
}

/** The conversation on the page. A method that cannot be done now (busy, unknown id) does nothing. */
export interface Thread {
  readonly state: Observable<ThreadState>;
  /** Siblings of a message in their order, itself among them. */
  branches(id: string): readonly string[];
  /** Shows another sibling, and the newest messages below it. */
  switchTo(id: string): void;
  send(text: string, attachments?: readonly Attachment[]): Promise<void>;
  /** Asks a changed question as a sibling of the old one. */
  edit(id: string, text: string): Promise<void>;
  /** Answers the same question once more, as a sibling of that answer. */
  retry(id: string): Promise<void>;
  /** Goes on with an answer that was stopped, cut off or broken. */
  continue(id: string): Promise<void>;
  stop(): void;
  /** Has a question that still waits for this tab's model answered over the network instead, this once. */
  answerNow(): void;
  /** Takes the last question back into the composer, with the answer that failed or was stopped. */
  takeBack(): Promise<void>;
  setOptions(change: Partial<ChatOptions>): void;
  /** Opens a kept conversation; what is being answered in the present one is stopped. */
  open(id: string): Promise<void>;
  newChat(options?: { temporary?: boolean }): void;
}

export interface ListedConversation {
  id: string;
  title: string;
  pinned: boolean;
  updatedAt: number;
  messages: number;
}

export interface SearchHit {
  id: string;
  /** Text around the first match, and where the match is in it. */
  excerpt: string;
  from: number;
  to: number;
}

export interface ListState {
  /** Pinned first, then the newest. */
  items: readonly ListedConversation[];
  /** Null while nothing is searched for. */
  search: { text: string; hits: readonly SearchHit[]; running: boolean } | null;
  /** What an import or a deletion did, or why it could not; null when there is nothing to say. */
  notice: string | null;
}

/** The conversations kept on this device. */
export interface Conversations {
  readonly state: Observable<ListState>;
  /** Searches titles and messages; '' ends the search. A newer search replaces an older one. */
  search(text: string): void;
  rename(id: string, title: string): Promise<void>;
  pin(id: string, pinned: boolean): Promise<void>;
  remove(id: string): Promise<void>;
  removeAll(): Promise<void>;
  /** All of them, or one, as a JSON file that `import` takes, or one as Markdown along its chosen branches. */
  exportJson(id?: string): Promise<Blob>;
  exportMarkdown(id: string): Promise<Blob>;
  /** Takes exported JSON files; a conversation that is here already is kept as it is. The notice says what was done. */
  import(files: readonly File[]): Promise<void>;
  dismiss(): void;
}
