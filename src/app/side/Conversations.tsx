import { type RefObject, useDeferredValue, useState } from 'react';
import { toShoalError } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { Icon } from '../look/Icon.tsx';
import { ShoalProgress } from '../look/ShoalProgress.tsx';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { AllMenu } from './AllMenu.tsx';
import { ConversationList } from './ConversationList.tsx';
import { SearchHits } from './SearchHits.tsx';
import { useSearch } from './use-search.ts';

interface Props {
  search: RefObject<HTMLInputElement | null>;
  /** A conversation was chosen or begun: a drawer closes. */
  onDone: () => void;
}

/** Everything about the conversations of this device. */
export function Conversations({ search, onDone }: Props) {
  const { side } = useWords();
  const { thread, conversations } = useDoors();
  const list = useObservable(conversations.state);
  // An import changes the list a thousand times: it is drawn when there is time, and typing goes first.
  const items = useDeferredValue(list.items);
  const { id, temporary } = useObservable(thread.state);
  const [text, setText] = useSearch(conversations);
  const [importing, setImporting] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  /** What goes wrong in the store is said here, once. */
  const attempt = async (work: () => Promise<void>) => {
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(toShoalError(error).message);
    }
  };
  const begin = (options?: { temporary: boolean }) => {
    thread.newChat(options);
    onDone();
  };
  const open = (id: string) => {
    void attempt(() => thread.open(id));
    onDone();
  };
  const said = problem ?? list.notice;

  return (
    <>
      <div className="side-new">
        <button type="button" className="plain" onClick={() => begin()}>
          <Icon name="plus" />
          {side.newChat}
        </button>
        <button
          type="button"
          className="icon"
          aria-label={side.newTemporary}
          title={side.temporaryHint}
          onClick={() => begin({ temporary: true })}
        >
          <Icon name="hidden" />
        </button>
      </div>
      <div className="side-head">
        <h2>{side.conversations}</h2>
        <AllMenu
          attempt={attempt}
          onImport={(files) => {
            setImporting(true);
            void attempt(() => conversations.import(files)).finally(() => setImporting(false));
          }}
        />
      </div>
      <label className="side-search">
        <Icon name="search" size={18} />
        <input
          ref={search}
          type="search"
          aria-label={side.search}
          placeholder={side.search}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape' || !text) return;
            // Ends the search, and neither the drawer nor the answer.
            event.preventDefault();
            event.stopPropagation();
            setText('');
          }}
        />
      </label>
      {importing && <ShoalProgress done={0} total={0} label={side.importing} />}
      <div role="status" aria-label={side.conversations}>
        {said !== null && (
          <p className="side-notice">
            {said}
            <button
              type="button"
              className="quiet"
              onClick={() => {
                setProblem(null);
                conversations.dismiss();
              }}
            >
              {side.dismiss}
            </button>
          </p>
        )}
      </div>
      <div className="side-scroll">
        {text ? (
          <SearchHits text={text} list={list} current={id} onOpen={open} />
        ) : (
          <>
            {temporary && (
              <p className="side-temporary" title={side.temporaryHint}>
                <Icon name="hidden" size={18} />
                <span>
                  {side.temporaryNow} <small>{side.notKept}</small>
                </span>
              </p>
            )}
            <ConversationList items={items} current={id} attempt={attempt} onOpen={open} />
          </>
        )}
      </div>
    </>
  );
}
