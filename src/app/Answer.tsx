import type { Membership, Status } from '../sdk/index.ts';
import { CopyButton } from './CopyButton.tsx';
import type { Turn } from './chat-store.ts';
import { formatBytes } from './format.ts';
import { RichText } from './RichText.tsx';
import type { Settings } from './settings.ts';

interface Props {
  turn: Turn;
  status: Status;
  membership: Membership;
  route: Settings['route'];
  /** Only the last answer can be asked for again. */
  last: boolean;
  onRetry: () => void;
  onEdit: () => void;
  onNewChat: () => void;
}

export function Answer({ turn, status, membership, route, last, onRetry, onEdit, onNewChat }: Props) {
  const over = turn.state !== 'waiting' && turn.state !== 'streaming';
  return (
    <article className="turn answer" aria-label="Shoal" data-state={turn.state}>
      {turn.content && <RichText text={turn.content} />}
      {!turn.content && !over && <p className="waiting">{waitingFor(turn, status, membership, route)}</p>}
      {turn.error && (
        <p className="error" role="alert">
          {turn.error.message}
        </p>
      )}
      {turn.state === 'stopped' && <p className="hint">Stopped.</p>}
      {turn.state === 'limit' && (
        <p className="hint">
          Cut off: the longest answer or the model’s context is reached. Ask it to go on, or raise the limit
          in the menu’s settings.
        </p>
      )}
      {turn.reason && turn.content && <p className="hint">{turn.reason}</p>}
      <footer>
        {turn.route && turn.content && <span className="provenance">{turn.route}</span>}
        {over && turn.content && <CopyButton text={turn.content} label="Copy answer" />}
        {last && (turn.state === 'failed' || turn.state === 'stopped') && (
          <button type="button" className="quiet" onClick={onRetry}>
            Try again
          </button>
        )}
        {last && (turn.state === 'failed' || turn.state === 'stopped') && (
          <button type="button" className="quiet" onClick={onEdit}>
            Edit message
          </button>
        )}
        {last && turn.error?.next === 'new-chat' && (
          <button type="button" className="quiet" onClick={onNewChat}>
            New chat
          </button>
        )}
      </footer>
    </article>
  );
}

function waitingFor(turn: Turn, status: Status, { preparing }: Membership, route: Settings['route']): string {
  if (turn.state === 'streaming') return 'Reads…';
  if (preparing) {
    const { detail, done, total } = preparing;
    return total > 0 ? `${detail}: ${formatBytes(done)} of ${formatBytes(total)}` : `${detail}…`;
  }
  if (route === 'network') return 'Looks for peers…';
  return status.phase === 'ready' ? 'Thinks…' : 'Waits for the model…';
}
