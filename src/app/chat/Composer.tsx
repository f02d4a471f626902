import { ComposerPrimitive, useAui, useAuiState } from '@assistant-ui/react';
import {
  type ClipboardEvent,
  type FormEvent,
  type KeyboardEvent,
  type RefObject,
  useEffect,
  useId,
  useRef,
  useState,
} from 'react';
import { useDoors } from '../doors.ts';
import { Icon } from '../look/Icon.tsx';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { AttachmentRow } from './AttachmentRow.tsx';
import { CommandList } from './CommandList.tsx';
import { type CommandName, offered, readEntry } from './commands.ts';
import { useChatPage, useThread } from './page.ts';
import { pickFiles } from './pick-files.ts';
import { areModelFiles, ENORMOUS_PASTE } from './text-files.ts';
import './composer.css';

interface Props {
  box: RefObject<HTMLTextAreaElement | null>;
  onCommand: (name: CommandName, text: string) => void;
  onModelFiles: (files: readonly File[]) => void;
}

/** The box to write in. Enter sends, Shift+Enter breaks the line; what is written survives a reload. */
export function Composer({ box, onCommand, onModelFiles }: Props) {
  const { chat } = useWords();
  const { thread, pwa } = useDoors();
  const { draft, editors } = useChatPage();
  const aui = useAui();
  const text = useAuiState((state) => state.composer.text);
  const busy = useThread((state) => state.busy);
  const { attachments } = useObservable(draft);
  const [at, setAt] = useState(0);
  const [closed, setClosed] = useState(false);
  const list = useId();
  const commands = closed ? [] : offered(text);
  const chosen = commands[Math.min(at, commands.length - 1)];
  const write = (changed: string) => aui.composer.setText(changed);

  const kept = useRef(false);
  useEffect(() => {
    // The text of the last visit first; then each change of it.
    if (kept.current) draft.keepText(text);
    else if (draft.keptText()) aui.composer.setText(draft.keptText());
    kept.current = true;
  }, [aui, draft, text]);
  useReturned(box);
  useNewChatFocus(box);
  useEffect(
    () =>
      pwa.onLaunch(({ files, text: shared }) => {
        if (areModelFiles(files)) onModelFiles(files);
        else void draft.addFiles(files);
        const before = aui.composer.getState().text;
        if (shared) aui.composer.setText(before ? `${before}\n${shared}` : shared);
      }),
    [aui, draft, onModelFiles, pwa],
  );

  const act = (name: CommandName, words: string) => {
    write('');
    box.current?.focus();
    onCommand(name, words);
  };
  const send = (event?: FormEvent) => {
    event?.preventDefault();
    const entry = readEntry(text);
    if (entry.kind === 'command') act(entry.name, entry.text);
    else if (!busy && (entry.text.trim() || attachments.length > 0)) {
      write('');
      void thread.send(entry.text, draft.take());
      box.current?.focus();
    }
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a character, the keys belong to it.
    if (event.nativeEvent.isComposing) return;
    const { key } = event;
    if (chosen) {
      const by = key === 'ArrowDown' ? 1 : key === 'ArrowUp' ? -1 : 0;
      if (by !== 0) setAt((commands.indexOf(chosen) + by + commands.length) % commands.length);
      else if (key === 'Tab' && !event.shiftKey) write(`/${chosen}${chosen === 'system' ? ' ' : ''}`);
      else if (key === 'Enter' && !event.shiftKey) act(chosen, '');
      else if (key === 'Escape') {
        setClosed(true);
        box.current?.focus();
      } else return;
      event.preventDefault();
    } else if (key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (key === 'ArrowUp' && text === '') {
      const last = thread.state.get().messages.findLast(({ role }) => role === 'user');
      if (last && !busy && editors.open(last.id)) event.preventDefault();
    }
  };

  const onPaste = (event: ClipboardEvent) => {
    const files = [...event.clipboardData.files];
    const pasted = event.clipboardData.getData('text/plain');
    // A copied table or word comes as text and as a picture of it: the text is meant.
    if (files.length > 0 && !pasted) {
      event.preventDefault();
      if (areModelFiles(files)) onModelFiles(files);
      else void draft.addFiles(files);
    } else if (pasted.length > ENORMOUS_PASTE) {
      event.preventDefault();
      draft.add([{ name: chat.composer.pasted, text: pasted }], true);
    }
  };

  return (
    <ComposerPrimitive.Root className="chat-composer" onSubmit={send}>
      <AttachmentRow
        onIntoBox={(one) => {
          draft.remove(one.id);
          write(text ? `${text}\n${one.text}` : one.text);
          box.current?.focus();
        }}
      />
      {chosen && (
        <CommandList
          id={list}
          commands={commands}
          chosen={chosen}
          onChoose={(name) => act(name, '')}
          onKeyDown={onKeyDown}
        />
      )}
      <div className="chat-composer-row">
        <button
          type="button"
          className="icon"
          aria-label={chat.composer.attach}
          title={chat.composer.attach}
          onClick={() =>
            pickFiles('', (files) =>
              areModelFiles(files) ? onModelFiles(files) : void draft.addFiles(files),
            )
          }
        >
          <Icon name="attach" />
        </button>
        <ComposerPrimitive.Input
          ref={box}
          rows={1}
          maxRows={10}
          aria-label={chat.message}
          aria-autocomplete="list"
          aria-controls={chosen ? list : undefined}
          aria-activedescendant={chosen ? `${list}-${chosen}` : undefined}
          placeholder={chat.composer.placeholder}
          enterKeyHint="send"
          // Stopping, attaching and sending know more here than the library's composer does.
          cancelOnEscape={false}
          addAttachmentOnPaste={false}
          onChange={() => {
            setAt(0);
            setClosed(false);
          }}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        {busy ? (
          <button type="button" className="primary stop chat-send" onClick={() => thread.stop()}>
            <Icon name="stop" size={16} />
            {chat.stop}
          </button>
        ) : (
          <button
            type="submit"
            className="primary chat-send"
            disabled={!text.trim() && attachments.length === 0}
          >
            {chat.send}
          </button>
        )}
      </div>
    </ComposerPrimitive.Root>
  );
}

/** A chat that was just begun, from wherever, is written into next. A phone's keyboard waits until it is asked for. */
function useNewChatFocus(box: RefObject<HTMLTextAreaElement | null>): void {
  const id = useThread((state) => state.id);
  const empty = useThread((state) => state.messages.length === 0);
  const before = useRef(id);
  useEffect(() => {
    if (before.current === id) return;
    before.current = id;
    if (empty && matchMedia('(hover: hover)').matches) box.current?.focus();
  }, [box, empty, id]);
}

/** Puts a question that was taken back into the box, before what was being written meanwhile. */
function useReturned(box: RefObject<HTMLTextAreaElement | null>): void {
  const { thread } = useDoors();
  const { draft } = useChatPage();
  const aui = useAui();
  useEffect(() => {
    let before = thread.state.get().returned;
    return thread.state.subscribe(({ returned, returnedAttachments }) => {
      const now = returned;
      if (now === before) return;
      before = now;
      if (now === null) return;
      const written = aui.composer.getState().text;
      aui.composer.setText(written ? `${now}\n${written}` : now);
      draft.add(returnedAttachments, false);
      box.current?.focus();
    });
  }, [aui, box, draft, thread]);
}
