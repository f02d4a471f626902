import { memo, useEffect, useRef } from 'react';
import type { ListedConversation } from '../chat/types.ts';
import { Icon } from '../look/Icon.tsx';
import { useWords } from '../words/index.ts';
import { MenuButton } from './MenuButton.tsx';

/** What was asked about a conversation; `title`: the end of a renaming, null when it was given up. */
export type Act = 'open' | 'rename' | 'pin' | 'json' | 'markdown' | 'remove' | { title: string | null };

/** Characters of a title that is given by hand. */
const LONGEST_TITLE = 200;

interface Props {
  item: ListedConversation;
  current: boolean;
  renaming: boolean;
  onAct: (item: ListedConversation, what: Act) => void;
}

export const ConversationRow = memo(function ConversationRow({ item, current, renaming, onAct }: Props) {
  const { side } = useWords();
  const title = item.title || side.untitled;
  const row = useRef<HTMLLIElement>(null);
  return (
    <li ref={row} className="side-row">
      {renaming ? (
        <Rename
          title={item.title}
          onDone={(title) => {
            onAct(item, { title });
            // After the row has its buttons again.
            requestAnimationFrame(() => row.current?.querySelector('button')?.focus());
          }}
        />
      ) : (
        <>
          <button
            type="button"
            className="side-open"
            aria-current={current}
            title={title}
            onClick={() => onAct(item, 'open')}
            onKeyDown={(event) => event.key === 'F2' && onAct(item, 'rename')}
          >
            {item.pinned && <Icon name="pin" size={16} />}
            <span className="side-title">{title}</span>
          </button>
          <MenuButton
            label={side.more(title)}
            items={[
              { label: side.rename, icon: 'edit', act: () => onAct(item, 'rename') },
              { label: item.pinned ? side.unpin : side.pin, icon: 'pin', act: () => onAct(item, 'pin') },
              { label: side.exportMarkdown, icon: 'download', act: () => onAct(item, 'markdown') },
              { label: side.exportJson, icon: 'download', act: () => onAct(item, 'json') },
              { label: side.remove, icon: 'trash', bad: true, act: () => onAct(item, 'remove') },
            ]}
          />
        </>
      )}
    </li>
  );
});

/** Enter and leaving the box keep the title, Escape does not. */
function Rename({ title, onDone }: { title: string; onDone: (title: string | null) => void }) {
  const { side } = useWords();
  const box = useRef<HTMLInputElement>(null);
  const over = useRef(false);
  useEffect(() => {
    box.current?.focus();
    box.current?.select();
  }, []);
  const end = (kept: boolean) => {
    if (over.current) return;
    over.current = true;
    onDone(kept ? (box.current?.value ?? null) : null);
  };
  return (
    <input
      ref={box}
      type="text"
      className="side-rename"
      aria-label={side.newTitle}
      defaultValue={title}
      maxLength={LONGEST_TITLE}
      onBlur={() => end(true)}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        if (event.key === 'Enter') end(true);
        if (event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        end(false);
      }}
    />
  );
}
