import { useEffect, useRef } from 'react';
import { useDoors } from '../doors.ts';
import { Icon } from '../look/Icon.tsx';
import { useWords } from '../words/index.ts';
import { useChatPage, useThread } from './page.ts';

/**
 * Which of several versions of a message is shown. The library's picker counts the messages it was given; here they are
 * counted by the conversation, which has all of them.
 */
export function Branches({ id }: { id: string }) {
  const { chat } = useWords();
  const { thread } = useDoors();
  const page = useChatPage();
  const busy = useThread((state) => state.busy);
  const group = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    // Another version is another message on the page: the keyboard goes on in its picker.
    if (page.chosenBranch?.id !== id) return;
    const [left, right] = group.current?.querySelectorAll('button') ?? [];
    const wanted = page.chosenBranch.by < 0 ? [left, right] : [right, left];
    wanted.find((button) => button && !button.disabled)?.focus();
    page.chosenBranch = null;
  }, [id, page]);

  const branches = thread.branches(id);
  const at = branches.indexOf(id);
  if (branches.length < 2 || at < 0) return null;
  const go = (by: number) => () => {
    const chosen = branches[at + by]!;
    page.chosenBranch = { id: chosen, by };
    thread.switchTo(chosen);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has a legend, and this has a count.
    <span ref={group} role="group" className="chat-branches" aria-label={chat.thread.branches}>
      <button
        type="button"
        className="icon chat-small"
        aria-label={chat.thread.earlierBranch}
        disabled={busy || at === 0}
        onClick={go(-1)}
      >
        <Icon name="left" size={17} />
      </button>
      <span>{chat.thread.branch(at + 1, branches.length)}</span>
      <button
        type="button"
        className="icon chat-small"
        aria-label={chat.thread.laterBranch}
        disabled={busy || at === branches.length - 1}
        onClick={go(1)}
      >
        <Icon name="right" size={17} />
      </button>
    </span>
  );
}
