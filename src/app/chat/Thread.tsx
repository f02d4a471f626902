import { ThreadPrimitive, useAuiState, useThreadViewport } from '@assistant-ui/react';
import { Component, type ReactNode, type RefObject, useEffect, useRef } from 'react';
import { Icon } from '../look/Icon.tsx';
import { useWords } from '../words/index.ts';
import { Answer } from './Answer.tsx';
import { useThread } from './page.ts';
import { Question } from './Question.tsx';
import { useEarlier } from './ThreadRuntime.tsx';
import { Welcome } from './Welcome.tsx';
import './thread.css';

/** Pixels from the top at which scrolling up brings earlier messages. */
const NEAR_TOP = 240;

/** Milliseconds between a few old messages that go and the next few. */
const LET_GO_MS = 150;

/** The conversation. It follows a growing answer while its end is in view. `greeting`: shown while it is empty. */
export function Thread({ greeting }: { greeting: ReactNode }) {
  const { chat } = useWords();
  const id = useThread((state) => state.id);
  const busy = useThread((state) => state.busy);
  const empty = useThread((state) => state.messages.length === 0);
  const title = useThread((state) => state.title);
  const earlier = useEarlier();
  const scroller = useRef<HTMLDivElement>(null);
  return (
    <ThreadPrimitive.Root className="chat-thread">
      {/* The greeting has a heading of its own. */}
      {!empty && <h1 className="visually-hidden">{title || chat.bar}</h1>}
      {/* A conversation that is opened begins at its end, not where the one before it was left. */}
      <ThreadPrimitive.Viewport
        key={id}
        ref={scroller}
        className="chat-scroll"
        // The greeting is read from its top.
        autoScroll={!empty}
        onScroll={(event) => {
          if (earlier.count > 0 && event.currentTarget.scrollTop < NEAR_TOP) earlier.show();
        }}
      >
        {/* Each sentence is said once, elsewhere; a live log would read every token aloud. */}
        <div className="chat-log" role="log" aria-label={chat.conversation} aria-live="off" aria-busy={busy}>
          {earlier.count > 0 && (
            <button type="button" className="quiet chat-earlier" onClick={earlier.show}>
              {chat.thread.earlier(earlier.count)}
            </button>
          )}
          {empty && <Welcome>{greeting}</Welcome>}
          <ThreadPrimitive.Messages components={MESSAGES} />
          <Place scroller={scroller} />
          <LetGo />
        </div>
      </ThreadPrimitive.Viewport>
      {!empty && (
        <ThreadPrimitive.ScrollToBottom className="chat-newest" behavior="instant">
          <Icon name="down" size={18} />
          {chat.thread.newest}
        </ThreadPrimitive.ScrollToBottom>
      )}
    </ThreadPrimitive.Root>
  );
}

const MESSAGES = { UserMessage: Question, AssistantMessage: Answer };

/**
 * Somebody who came back to the newest messages has no use for hundreds of old ones, and each of them costs. Not while an
 * answer grows: what goes above and what comes below at once is a jump in the eyes of the browser.
 */
function LetGo() {
  const atEnd = useThreadViewport((state) => state.isAtBottom);
  const busy = useThread((state) => state.busy);
  const { letGo } = useEarlier();
  useEffect(() => {
    if (!atEnd || busy) return;
    const timer = setTimeout(letGo, LET_GO_MS);
    return () => clearTimeout(timer);
    // Another function after each step, until nothing is left to go.
  }, [atEnd, busy, letGo]);
  return null;
}

function Place({ scroller }: { scroller: RefObject<HTMLDivElement | null> }) {
  const first = useAuiState((state) => state.thread.messages[0]?.id ?? '');
  return <KeepPlace first={first} scroller={scroller} />;
}

interface PlaceProps {
  first: string;
  scroller: RefObject<HTMLDivElement | null>;
}

/** Holds what is in view still when messages come in above it: at the very top no browser does. */
class KeepPlace extends Component<PlaceProps> {
  override getSnapshotBeforeUpdate(before: PlaceProps): { element: Element; top: number } | null {
    if (before.first === this.props.first) return null;
    const element = before.first && this.props.scroller.current?.querySelector('article');
    return element ? { element, top: element.getBoundingClientRect().top } : null;
  }

  override componentDidUpdate(
    _before: PlaceProps,
    _state: unknown,
    was: { element: Element; top: number } | null,
  ) {
    const box = this.props.scroller.current;
    if (!was || !box || !was.element.isConnected) return;
    const moved = was.element.getBoundingClientRect().top - was.top;
    if (moved > 0) box.scrollTop += moved;
  }

  override render() {
    return null;
  }
}
