import { useEffect } from 'react';
import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { isRunning } from './answer-listener.ts';
import { useThread } from './page.ts';

/** What was chosen for this load; `always` is for the loads to come as well. */
export interface LoadingChoice {
  chosen: 'network' | 'wait' | null;
  always: boolean;
}

interface Props {
  choice: LoadingChoice;
  onChoice: (choice: LoadingChoice) => void;
}

/** While this tab's own weights are on their way: answer now over the network, or wait. Only where it is a choice. */
export function WhileLoading(props: Props) {
  const { shoal, settings } = useDoors();
  const { phase } = useObservable(shoal.status);
  const { route, whileLoading } = useObservable(settings);
  const loading = phase === 'fetching' || phase === 'checking' || phase === 'compiling';
  // Whether the network can answer is only watched while it matters.
  return loading && route === 'auto' && whileLoading === 'ask' ? <IfCovered {...props} /> : null;
}

function IfCovered(props: Props) {
  const { shoal } = useDoors();
  const { model } = useObservable(shoal.status);
  const { coverage } = useObservable(shoal.networkStatus);
  const own = coverage.find(({ cid }) => cid === model?.cid);
  return own && own.missing.length === 0 ? <Choice {...props} /> : null;
}

function Choice({ choice: { chosen, always }, onChoice }: Props) {
  const { loading: words } = useWords().chat;
  const { thread, settings } = useDoors();
  const { privacy } = useObservable(settings);
  const waits = useThread(({ messages }) => {
    const last = messages.at(-1);
    return last !== undefined && isRunning(last) && last.state === 'waiting' ? last.id : null;
  });

  useEffect(() => {
    if (chosen === 'network' && waits !== null) thread.answerNow();
  }, [chosen, waits, thread]);

  const choose = (choice: 'network' | 'wait') => () => {
    onChoice({ chosen: choice, always });
    if (!always) return;
    // The choice goes away with this; what waits now is asked over the network first.
    if (choice === 'network' && waits !== null) thread.answerNow();
    settings.change({ whileLoading: choice });
  };
  return (
    <section className="card chat-while-loading" aria-label={words.label}>
      <div className="chat-choices">
        <button type="button" aria-pressed={chosen === 'network'} onClick={choose('network')}>
          <b>{words.answerNow}</b>
          <small>{privacy === 'light' ? words.networkMeansLight : words.networkMeans}</small>
        </button>
        <button type="button" aria-pressed={chosen === 'wait'} onClick={choose('wait')}>
          <b>{words.wait}</b>
          <small>{words.waitMeans}</small>
        </button>
      </div>
      <label className="chat-always">
        <input
          type="checkbox"
          checked={always}
          onChange={(event) => onChoice({ chosen, always: event.currentTarget.checked })}
        />
        {words.always}
      </label>
    </section>
  );
}
