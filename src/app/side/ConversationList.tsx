import { useCallback, useId, useMemo, useRef, useState } from 'react';
import type { ListedConversation } from '../chat/types.ts';
import { useDoors } from '../doors.ts';
import { useWords } from '../words/index.ts';
import { Confirm } from './Confirm.tsx';
import { type Act, ConversationRow } from './ConversationRow.tsx';
import { fileName } from './file-name.ts';
import { type Group, groupsOf } from './groups.ts';
import { saveFile } from './save-file.ts';

interface Props {
  items: readonly ListedConversation[];
  current: string;
  attempt: (work: () => Promise<void>) => Promise<void>;
  onOpen: (id: string) => void;
}

/** The conversations under their days. A thousand of them stay smooth: what is out of sight is not laid out. */
export function ConversationList({ items, current, attempt, onOpen }: Props) {
  const { side } = useWords();
  const { conversations } = useDoors();
  const [renaming, setRenaming] = useState<string | null>(null);
  const [removing, setRemoving] = useState<ListedConversation | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const groups = useMemo(() => groupsOf(items, Date.now()), [items]);

  const now = { attempt, onOpen };
  const latest = useRef(now);
  latest.current = now;
  // The same function at each render, so that an unchanged row is not drawn again.
  const act = useCallback(
    (item: ListedConversation, what: Act) => {
      const { attempt, onOpen } = latest.current;
      const { id, title } = item;
      if (what === 'open') onOpen(id);
      else if (what === 'rename') setRenaming(id);
      else if (what === 'remove') setRemoving(item);
      else if (what === 'pin') void attempt(() => conversations.pin(id, !item.pinned));
      else if (what === 'json')
        void attempt(async () => saveFile(await conversations.exportJson(id), fileName(title, 'json')));
      else if (what === 'markdown')
        void attempt(async () => saveFile(await conversations.exportMarkdown(id), fileName(title, 'md')));
      else {
        setRenaming(null);
        const name = what.title?.trim();
        if (name && name !== title) void attempt(() => conversations.rename(id, name));
      }
    },
    [conversations],
  );

  if (items.length === 0) return <p className="hint side-empty">{side.empty}</p>;
  return (
    <div ref={list} tabIndex={-1} className="side-groups">
      {groups.map((group) => (
        <Days key={group.name} group={group} current={current} renaming={renaming} onAct={act} />
      ))}
      {removing && (
        <Confirm
          title={side.removeTitle}
          text={side.removeText(removing.title || side.untitled)}
          action={side.remove}
          onClose={() => setRemoving(null)}
          onConfirm={() => {
            void attempt(() => conversations.remove(removing.id)).then(() => {
              // The row that had the focus is gone; the keyboard stays in the list.
              if (document.activeElement === document.body) list.current?.focus();
            });
          }}
        />
      )}
    </div>
  );
}

interface DaysProps {
  group: Group;
  current: string;
  renaming: string | null;
  onAct: (item: ListedConversation, what: Act) => void;
}

function Days({ group, current, renaming, onAct }: DaysProps) {
  const { side } = useWords();
  const heading = useId();
  return (
    <section>
      <h3 id={heading}>{side.groups[group.name]}</h3>
      <ul className="side-list" aria-labelledby={heading}>
        {group.items.map((item) => (
          <ConversationRow
            key={item.id}
            item={item}
            current={item.id === current}
            renaming={item.id === renaming}
            onAct={onAct}
          />
        ))}
      </ul>
    </section>
  );
}
