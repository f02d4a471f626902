import { type AppendMessage, AssistantRuntimeProvider, useExternalStoreRuntime } from '@assistant-ui/react';
import { createContext, type ReactNode, useContext, useMemo, useState } from 'react';
import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { isRunning } from './answer-listener.ts';
import { earlier, later, nextWindow } from './message-window.ts';
import type { ThreadMessage } from './types.ts';

/** Messages before those that are drawn. */
interface Earlier {
  count: number;
  show(): void;
  /** Takes some of the oldest from the page; nothing when only the newest are there. */
  letGo(): void;
}

const EarlierContext = createContext<Earlier>({ count: 0, show() {}, letGo() {} });
export const useEarlier = (): Earlier => useContext(EarlierContext);

/**
 * Gives the conversation to the library's thread: the newest messages of it, for the library looks at all of them with
 * each token. The conversation itself stays in `Thread`, branches included.
 */
export function ThreadRuntime({ children }: { children: ReactNode }) {
  const { thread } = useDoors();
  const { id, messages, busy } = useObservable(thread.state);
  const [placed, setPlaced] = useState(() => nextWindow(null, id, messages.length));
  const window = nextWindow(placed, id, messages.length);
  if (window !== placed) setPlaced(window);
  const { from } = window;
  const shown = useMemo(() => messages.slice(from), [messages, from]);

  const runtime = useExternalStoreRuntime<ThreadMessage>({
    messages: shown,
    // The library puts a message of its own after a question; ours is there a moment later.
    isRunning: busy && messages.at(-1)?.role === 'assistant',
    convertMessage,
    onNew: (message) => thread.send(textOf(message)),
    onEdit: async (message) => {
      if (message.sourceId) await thread.edit(message.sourceId, textOf(message));
    },
    onReload: async (_parent, { sourceId }) => {
      if (sourceId) await thread.retry(sourceId);
    },
    onCancel: async () => thread.stop(),
  });

  const before = useMemo<Earlier>(
    () => ({ count: from, show: () => setPlaced(earlier), letGo: () => setPlaced(later) }),
    [from],
  );
  return (
    <AssistantRuntimeProvider runtime={runtime}>
      <EarlierContext value={before}>{children}</EarlierContext>
    </AssistantRuntimeProvider>
  );
}

/** The library's shape, with ours inside; it keeps the result as long as ours is the same object. */
function convertMessage(message: ThreadMessage) {
  const { id, role, content, createdAt } = message;
  const common = {
    id,
    content: [{ type: 'text' as const, text: content }],
    createdAt: new Date(createdAt),
    metadata: { custom: { message } },
  };
  return role === 'user'
    ? { ...common, role }
    : {
        ...common,
        role,
        status: isRunning(message)
          ? { type: 'running' as const }
          : { type: 'complete' as const, reason: 'stop' as const },
      };
}

function textOf({ content }: AppendMessage): string {
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}
