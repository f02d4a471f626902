import type { Membership, Sharing } from '../sdk/index.ts';
import { formatBytes, formatHeld, formatServed } from './format.ts';
import type { ShareStore } from './share-store.ts';

/** The switch that lends this device. */
export function ShareSwitch({ membership, share }: { membership: Membership; share: ShareStore }) {
  const { sharing } = membership;
  const checked = sharing?.state === 'preparing' || sharing?.state === 'sharing';
  return (
    <label className="switch">
      <input
        type="checkbox"
        role="switch"
        checked={checked}
        aria-checked={checked}
        aria-describedby={sharing ? 'share-note' : undefined}
        onChange={(event) => void (event.currentTarget.checked ? share.on() : share.off({ force: false }))}
        disabled={sharing?.state === 'draining'}
      />
      Share this device
    </label>
  );
}

/** What is being lent and to how many, or why nothing is. Nothing while the switch is off. */
export function ShareNote({ membership, share }: { membership: Membership; share: ShareStore }) {
  const { sharing } = membership;
  return (
    <>
      {/* Told once per change of state: the counts would be read aloud at every token. */}
      <p className="visually-hidden" role="status" aria-label="Sharing">
        {sharing ? announced(sharing) : ''}
      </p>
      {sharing && (
        <div id="share-note" className="share-note">
          <Note sharing={sharing} />
          {sharing.state === 'draining' && (
            <button type="button" className="quiet" onClick={() => void share.off({ force: true })}>
              Stop at once
            </button>
          )}
          {sharing.state === 'failed' && (
            <>
              <button type="button" className="quiet" onClick={() => void share.on()}>
                Share again
              </button>
              <button type="button" className="quiet" onClick={() => void share.off({ force: true })}>
                Dismiss
              </button>
            </>
          )}
        </div>
      )}
    </>
  );
}

function Note({ sharing }: { sharing: Sharing }) {
  const { state, error, progress } = sharing;
  if (state === 'failed') return <p className="error">{error?.message ?? 'Nothing could be shared.'}</p>;
  if (state === 'draining') {
    return <p className="hint">Takes nobody new and finishes what runs: {formatServed(sharing)}.</p>;
  }
  if (state === 'sharing') {
    return (
      <p className="hint">
        Holds {formatHeld(sharing)} · {formatServed(sharing)}
      </p>
    );
  }
  const { detail, done, total } = progress ?? { detail: 'Preparing', done: 0, total: 0 };
  const bytes = `${formatBytes(done)} of ${formatBytes(total)}`;
  return (
    <div className="share-progress">
      <p className="hint">
        {detail}
        {total > 0 && ` · ${bytes}`}
      </p>
      {total > 0 ? (
        <progress aria-label={`To share: ${detail}`} max={total} value={done} aria-valuetext={bytes} />
      ) : (
        <progress aria-label={`To share: ${detail}`} />
      )}
    </div>
  );
}

function announced(sharing: Sharing): string {
  switch (sharing.state) {
    case 'preparing':
      return 'Getting ready to share this device.';
    case 'sharing':
      return `This device holds ${formatHeld(sharing)}.`;
    case 'draining':
      return 'This device takes nobody new.';
    case 'failed':
      return sharing.error?.message ?? 'Nothing could be shared.';
  }
}
