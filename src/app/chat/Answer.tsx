import { ActionBarPrimitive, MessagePrimitive, useAuiState } from '@assistant-ui/react';
import type { Membership } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { formatBytes } from '../format.ts';
import { HappenedLine } from '../happened/HappenedLine.tsx';
import { CopyButton } from '../look/CopyButton.tsx';
import { Icon } from '../look/Icon.tsx';
import { useObservable } from '../look/use-observable.ts';
import { Markdown } from '../rich/Markdown.tsx';
import { useWords } from '../words/index.ts';
import { isRunning } from './answer-listener.ts';
import { Branches } from './Branches.tsx';
import { NextSteps } from './NextSteps.tsx';
import { useChatPage, useThread } from './page.ts';
import { useMessage } from './Question.tsx';
import type { ThreadMessage } from './types.ts';

export function Answer() {
  const { chat } = useWords();
  const { thread } = useDoors();
  const { focusBox } = useChatPage();
  const message = useMessage();
  const last = useAuiState((state) => state.message.isLast);
  const busy = useThread((state) => state.busy);
  const { id, content, state, error, happened } = message;
  const running = isRunning(message);
  const cut = state === 'stopped' || state === 'limit' || state === 'failed';
  return (
    <MessagePrimitive.Root asChild>
      <article className="chat-answer" aria-label={chat.answer} data-state={state}>
        {content && (
          <div className="chat-answer-text" data-part="text">
            <Markdown text={content} streaming={running} />
          </div>
        )}
        {!content && running && <Waiting state={state} />}
        {error && (
          <p className="chat-error" role="alert">
            {error.message}
          </p>
        )}
        {state === 'stopped' && <p className="hint">{chat.thread.stopped}</p>}
        {state === 'limit' && <p className="hint">{chat.thread.limit}</p>}
        {happened?.reason && content && <p className="hint">{happened.reason}</p>}
        <footer className="chat-answer-foot">
          {content && <HappenedLine message={message} />}
          {content && !happened && message.route && <span className="hint">{message.route}</span>}
          {!running && (
            <div className={last ? 'chat-actions' : 'chat-actions chat-later'}>
              <Branches id={id} />
              {last && !busy && content && cut && (
                <button
                  type="button"
                  className="plain chat-next"
                  onClick={() => {
                    void thread.continue(id);
                    focusBox();
                  }}
                >
                  {chat.thread.continue}
                </button>
              )}
              {last && !busy && cut && <NextSteps message={message} />}
              {content && <CopyButton text={content} label={chat.thread.copyAnswer} />}
              {!(last && cut) && !busy && (
                <ActionBarPrimitive.Reload
                  className="icon chat-small"
                  aria-label={chat.thread.tryAgain}
                  title={chat.thread.tryAgain}
                  // The button goes away with the answer.
                  onClick={focusBox}
                >
                  <Icon name="retry" size={17} />
                </ActionBarPrimitive.Reload>
              )}
            </div>
          )}
        </footer>
      </article>
    </MessagePrimitive.Root>
  );
}

/** What an answer waits for before its first word. */
function Waiting({ state }: Pick<ThreadMessage, 'state'>) {
  const { chat } = useWords();
  const { shoal, settings } = useDoors();
  const { phase } = useObservable(shoal.status);
  const { preparing } = useObservable(shoal.membership);
  const { route } = useObservable(settings);
  const words = chat.thread;
  const text = () => {
    if (state === 'streaming') return words.reads;
    if (preparing) return preparingText(preparing);
    if (route === 'network') return words.looksForPeers;
    return phase === 'ready' ? words.thinks : words.waitsForModel;
  };
  const preparingText = ({ detail, done, total }: NonNullable<Membership['preparing']>) =>
    total > 0
      ? words.preparing(detail, formatBytes(done), formatBytes(total))
      : words.preparingUnknown(detail);
  return <p className="chat-waiting">{text()}</p>;
}
