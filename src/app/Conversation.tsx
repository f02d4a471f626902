import { useEffect, useRef } from 'react';
import type { Membership, Status } from '../sdk/index.ts';
import { Answer } from './Answer.tsx';
import type { ChatStore } from './chat-store.ts';
import type { Settings } from './settings.ts';
import { useObservable } from './use-observable.ts';
import { Welcome } from './Welcome.tsx';

/** Pixels from the end within which the view follows a streaming answer. */
const FOLLOW_WITHIN = 96;

interface Props {
  chat: ChatStore;
  status: Status;
  membership: Membership;
  settings: Settings;
  onAsk: (text: string) => void;
  onNewChat: () => void;
}

export function Conversation({ chat, status, membership, settings, onAsk, onNewChat }: Props) {
  const { turns, busy, id } = useObservable(chat.state);
  const view = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  const shown = useRef('');

  useEffect(() => {
    const box = view.current;
    if (!box) return;
    // A question just asked, or a conversation just opened, is always brought into view.
    const now = `${id} ${turns.length}`;
    if (shown.current !== now) follow.current = true;
    shown.current = now;
    if (follow.current) box.scrollTop = box.scrollHeight;
  }, [turns, id]);

  return (
    <div
      className="scroll"
      ref={view}
      onScroll={(event) => {
        const box = event.currentTarget;
        follow.current = box.scrollHeight - box.scrollTop - box.clientHeight < FOLLOW_WITHIN;
      }}
    >
      {/* A finished answer is announced once, elsewhere; a log would read every token aloud. */}
      <div className="log" role="log" aria-label="Conversation" aria-live="off" aria-busy={busy}>
        {turns.length === 0 && <Welcome status={status} settings={settings} onAsk={onAsk} />}
        {turns.map((turn, i) =>
          turn.role === 'user' ? (
            <article className="turn user" key={turn.id} aria-label="You">
              <p>{turn.content}</p>
            </article>
          ) : (
            <Answer
              key={turn.id}
              turn={turn}
              status={status}
              membership={membership}
              route={settings.route}
              last={i === turns.length - 1}
              onRetry={() => void chat.retry()}
              onEdit={() => void chat.takeBack()}
              onNewChat={onNewChat}
            />
          ),
        )}
      </div>
    </div>
  );
}
