import type { Status } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { formatBackend, formatSpeed } from '../format.ts';
import { useObservable } from '../look/use-observable.ts';
import { hrefOf } from '../shell/views.ts';
import { useWords, type Words } from '../words/index.ts';
import { useThread } from './page.ts';

/** One line under the box: what runs the model and how fast; beside it the reasons, for those who ask. */
export function StatusLine() {
  const { chat } = useWords();
  const { shoal, settings } = useDoors();
  const status = useObservable(shoal.status);
  const { route } = useObservable(settings);
  const notKept = useThread((state) => state.notKept);
  const temporary = useThread((state) => state.temporary);
  const words = chat.statusLine;
  const reasons = [...(status.phase === 'ready' ? (status.engine?.fallbacks ?? []) : []), ...status.notices];
  const elsewhere = route === 'network' && status.phase === 'idle';
  return (
    <div className="chat-status">
      {/* Until the model is ready the card above shows the same words. */}
      {/* No byte counts here: a screen reader would read each of them. The progress bar has them. */}
      <p
        role="status"
        aria-label={chat.status}
        className={status.phase === 'ready' || elsewhere ? undefined : 'visually-hidden'}
      >
        {elsewhere ? words.overNetwork : summary(status, words)}
      </p>
      {reasons.length > 0 && (
        <details>
          <summary>{chat.why}</summary>
          <ul>
            {reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </details>
      )}
      {temporary && <p>{chat.temporary}</p>}
      {notKept && !temporary && (
        <p role="alert" className="chat-not-kept">
          {words.notKept(notKept)} <a href={hrefOf('settings')}>{words.storage}</a>
        </p>
      )}
    </div>
  );
}

function summary({ phase, engine, detail }: Status, words: Words['chat']['statusLine']): string {
  switch (phase) {
    case 'ready': {
      if (!engine) return words.ready;
      const wasm = engine.backend === 'wasm';
      const threads = wasm ? words.threads(engine.threads) : '';
      const slower = wasm && engine.fallbacks.length > 0 ? words.withoutGpu : '';
      const speed = engine.speed ? words.about(formatSpeed(1000 / engine.speed.decodeMsPerToken)) : '';
      return `${words.readyHere(formatBackend(engine.backend))}${threads}${slower}${speed}`;
    }
    case 'failed':
      return words.notReady;
    case 'idle':
      return words.noModel;
    default:
      return detail;
  }
}
