import {
  type FormEvent,
  type KeyboardEvent,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useState,
} from 'react';
import type { Status } from '../sdk/index.ts';
import type { Doors } from './App.tsx';
import type { ChatStore } from './chat-store.ts';
import type { Settings } from './settings.ts';

const DRAFT = 'shoal.draft';

interface Props {
  ref: RefObject<HTMLTextAreaElement | null>;
  chat: ChatStore;
  busy: boolean;
  returned: string | null;
  status: Status;
  route: Settings['route'];
  keep: Doors['keep'];
}

/** The box to write in. Enter sends, Shift+Enter breaks the line; the draft survives a reload. */
export function Composer({ ref, chat, busy, returned, status, route, keep }: Props) {
  const [draft, setDraft] = useState(() => keep.getItem(DRAFT) ?? '');

  const write = (text: string) => {
    setDraft(text);
    try {
      if (text) keep.setItem(DRAFT, text);
      else keep.removeItem(DRAFT);
    } catch {
      // The browser's small storage is full: the draft lives as long as the page.
    }
  };

  useEffect(() => {
    if (returned === null) return;
    chat.state.update({ returned: null });
    // What was being written meanwhile stays, below.
    write(draft ? `${returned}\n${draft}` : returned);
    ref.current?.focus();
  });

  // The height follows the text.
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) return;
    box.style.height = 'auto';
    box.style.height = `${box.scrollHeight}px`;
  });

  const send = (event?: FormEvent) => {
    event?.preventDefault();
    if (busy || !draft.trim()) return;
    const text = draft;
    write('');
    void chat.send(text);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a character, Enter belongs to it.
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) send(event);
  };

  const loading = status.phase !== 'ready' && route !== 'network';
  return (
    <form className="composer" onSubmit={send}>
      <textarea
        ref={ref}
        aria-label="Message"
        placeholder={loading ? 'Write now; it is sent when the model is ready' : 'Ask anything'}
        rows={1}
        value={draft}
        onChange={(event) => write(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      {busy ? (
        <button type="button" className="primary stop" onClick={() => chat.stop()}>
          Stop
        </button>
      ) : (
        <button type="submit" className="primary" disabled={!draft.trim()}>
          Send
        </button>
      )}
    </form>
  );
}
