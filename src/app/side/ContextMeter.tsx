import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { contextOf, contextUse } from './context.ts';
import './meter.css';

/** How much of the model's context this chat has used; nothing while no model is known. */
export function ContextMeter() {
  const { side } = useWords();
  const { shoal, thread } = useDoors();
  const { usedTokens, busy } = useObservable(thread.state);
  const use = contextUse(usedTokens, contextOf(useObservable(shoal.status)));
  if (!use) return null;
  const { used, of, nearlyFull } = use;
  const text = side.contextUsed(used.toLocaleString(), of.toLocaleString());
  return (
    <div className={nearlyFull ? 'side-meter full' : 'side-meter'}>
      <meter min={0} max={of} value={used} aria-label={side.context} aria-valuetext={text} title={text}>
        {text}
      </meter>
      <small>{text}</small>
      {nearlyFull && (
        <p role="status">
          {side.contextFull}{' '}
          <button type="button" className="quiet" disabled={busy} onClick={() => thread.newChat()}>
            {side.newChat}
          </button>
        </p>
      )}
    </div>
  );
}
