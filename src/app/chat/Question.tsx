import {
  ActionBarPrimitive,
  ComposerPrimitive,
  MessagePrimitive,
  useAui,
  useAuiState,
} from '@assistant-ui/react';
import { useEffect, useRef } from 'react';
import { formatBytes } from '../format.ts';
import { CopyButton } from '../look/CopyButton.tsx';
import { Icon } from '../look/Icon.tsx';
import { useWords } from '../words/index.ts';
import { Branches } from './Branches.tsx';
import { useChatPage, useThread } from './page.ts';
import type { Attachment, ThreadMessage } from './types.ts';

/** Our message of the library's one that is drawn. */
export function useMessage(): ThreadMessage {
  return useAuiState((state) => state.message.metadata.custom.message as ThreadMessage);
}

/** A question, or the editor in its place. */
export function Question() {
  const { chat } = useWords();
  const { draft, editors } = useChatPage();
  const aui = useAui();
  const message = useMessage();
  const { id } = message;
  const editing = useAuiState((state) => state.message.composer.isEditing);
  const busy = useThread((state) => state.busy);

  useEffect(() => editors.register(id, () => aui.message.composer().beginEdit()), [aui, editors, id]);
  useEffect(() => {
    // An edit that the page was left in goes on.
    const kept = draft.keptEdit();
    if (kept?.message !== id) return;
    aui.message.composer().beginEdit();
    aui.message.composer().setText(kept.text);
  }, [aui, draft, id]);

  return (
    <MessagePrimitive.Root asChild>
      <article className="chat-question" aria-label={chat.you}>
        {editing ? (
          <Editor id={id} />
        ) : (
          <>
            <Attached attachments={message.attachments} />
            {message.content && (
              <p className="chat-question-text" data-part="text">
                {message.content}
              </p>
            )}
          </>
        )}
        {!editing && (
          <footer className="chat-actions chat-later">
            <Branches id={id} />
            <CopyButton text={message.content} label={chat.thread.copyQuestion} />
            {!busy && (
              <ActionBarPrimitive.Edit
                className="icon chat-small"
                aria-label={chat.thread.editQuestion}
                title={chat.thread.editQuestion}
              >
                <Icon name="edit" size={17} />
              </ActionBarPrimitive.Edit>
            )}
          </footer>
        )}
      </article>
    </MessagePrimitive.Root>
  );
}

/** Changes the question and asks it anew; the old one stays as a branch. Escape leaves everything as it was. */
function Editor({ id }: { id: string }) {
  const { chat } = useWords();
  const { draft, focusBox } = useChatPage();
  const text = useAuiState((state) => state.composer.text);
  const ended = useRef(false);
  useEffect(() => {
    // The library empties the text as it ends, which is no edit.
    if (!ended.current) draft.keepEdit({ message: id, text });
  }, [draft, id, text]);
  const over = () => {
    ended.current = true;
    draft.keepEdit(null);
    focusBox();
  };
  return (
    <ComposerPrimitive.Root className="chat-editor" onSubmit={over}>
      <ComposerPrimitive.Input
        aria-label={chat.thread.editing}
        autoFocus
        cancelOnEscape={false}
        addAttachmentOnPaste={false}
        maxRows={12}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || event.nativeEvent.isComposing) return;
          event.preventDefault();
          event.currentTarget.form?.querySelector<HTMLButtonElement>('[data-cancel]')?.click();
        }}
      />
      <div className="chat-editor-row">
        <p className="hint">{chat.thread.editHint}</p>
        <ComposerPrimitive.Cancel className="plain" data-cancel="" onClick={over}>
          {chat.cancel}
        </ComposerPrimitive.Cancel>
        <button type="submit" className="primary" disabled={!text.trim()}>
          {chat.thread.resend}
        </button>
      </div>
    </ComposerPrimitive.Root>
  );
}

function Attached({ attachments }: { attachments: readonly Attachment[] }) {
  const { chat } = useWords();
  if (attachments.length === 0) return null;
  return (
    <ul className="chat-attached">
      {attachments.map(({ name, text }, i) => (
        // What was sent does not change its order.
        <li key={i}>
          <details>
            <summary>{chat.thread.attached(name, formatBytes(new Blob([text]).size))}</summary>
            <pre>{text}</pre>
          </details>
        </li>
      ))}
    </ul>
  );
}
