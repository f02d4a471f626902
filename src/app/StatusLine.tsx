import type { Status } from '../sdk/index.ts';
import { formatBackend, formatSpeed } from './format.ts';
import type { Settings } from './settings.ts';

interface Props {
  status: Status;
  route: Settings['route'];
  notKept: string | null;
}

/** One line under the box: what runs the model and how fast; beside it the reasons, for those who ask. */
export function StatusLine({ status, route, notKept }: Props) {
  const reasons = [
    ...(status.phase === 'ready' ? (status.engine?.fallbacks ?? []) : []),
    ...status.notices,
    ...(notKept ? [`This chat is not kept: ${notKept}`] : []),
  ];
  const elsewhere = route === 'network' && status.phase === 'idle';
  return (
    <div className="status-line">
      {/* Until the model is ready the card above shows the same words. */}
      {/* No byte counts here: a screen reader would read each of them. The progress bar has them. */}
      <p
        role="status"
        aria-label="Status"
        className={status.phase === 'ready' || elsewhere ? undefined : 'visually-hidden'}
      >
        {elsewhere ? 'Answers come over the network.' : summary(status)}
      </p>
      {reasons.length > 0 && (
        <details>
          <summary>Why?</summary>
          <ul>
            {reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function summary({ phase, engine, detail }: Status): string {
  switch (phase) {
    case 'ready': {
      if (!engine) return 'Ready.';
      const threads =
        engine.backend === 'wasm'
          ? ` on ${engine.threads} CPU ${engine.threads === 1 ? 'thread' : 'threads'}`
          : '';
      const slower = engine.backend === 'wasm' && engine.fallbacks.length > 0 ? ', without the GPU' : '';
      const speed = engine.speed ? ` · about ${formatSpeed(1000 / engine.speed.decodeMsPerToken)}` : '';
      return `Ready in this tab · ${formatBackend(engine.backend)}${threads}${slower}${speed}`;
    }
    case 'failed':
      return 'The model is not ready.';
    case 'idle':
      return 'No model is loaded.';
    default:
      return detail;
  }
}
