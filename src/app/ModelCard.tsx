import type { Shoal, ShoalError, Status } from '../sdk/index.ts';
import { formatBytes } from './format.ts';
import type { Settings } from './settings.ts';

interface Props {
  shoal: Shoal;
  status: Status;
  route: Settings['route'];
  /** Why a file that the user picked could not be opened. */
  fileError: ShoalError | null;
  onDismiss: () => void;
  /** Stops what the status shows. */
  onCancel: () => void;
  onOpenFile: () => void;
}

/** What is being done to get the model ready, or why it is not, with what to do next. Nothing once it is ready. */
export function ModelCard({ shoal, status, route, fileError, onDismiss, onCancel, onOpenFile }: Props) {
  const load = () => void shoal.load(status.model?.id).catch(() => {});
  if (fileError) {
    return (
      <section className="card failed" aria-label="Model file">
        <p role="alert">{fileError.message}</p>
        <div className="actions">
          <button type="button" onClick={onOpenFile}>
            Open another file…
          </button>
          <button type="button" className="quiet" onClick={onDismiss}>
            Dismiss
          </button>
        </div>
      </section>
    );
  }
  switch (status.phase) {
    case 'ready':
      if (!status.error) return null;
      // Another model could not be loaded; the one that runs goes on.
      return <Failed shoal={shoal} status={status} onRetry={load} onOpenFile={onOpenFile} />;
    case 'idle':
      // Over the network nothing has to be loaded here.
      if (route === 'network') return null;
      return (
        <section className="card" aria-label="Model">
          <p>{status.detail || 'No model is loaded.'}</p>
          <div className="actions">
            <button type="button" onClick={load}>
              {status.model ? `Load ${status.model.name}` : 'Load the model'}
            </button>
          </div>
        </section>
      );
    case 'failed':
      return <Failed shoal={shoal} status={status} onRetry={load} onOpenFile={onOpenFile} />;
    default:
      return <Loading status={status} onCancel={onCancel} />;
  }
}

function Loading({ status, onCancel }: { status: Status; onCancel: () => void }) {
  const { done, total, bytesPerSecond, detail } = status;
  return (
    <section className="card" aria-label="Model">
      <p className="progress-head">
        <span>{detail}</span>
        <button type="button" className="quiet" onClick={onCancel}>
          Cancel
        </button>
      </p>
      {total > 0 ? (
        <progress
          aria-label={detail}
          max={total}
          value={done}
          aria-valuetext={`${formatBytes(done)} of ${formatBytes(total)}`}
        />
      ) : (
        <progress aria-label={detail} />
      )}
      <p className="hint">
        {total > 0 && `${formatBytes(done)} of ${formatBytes(total)}`}
        {total > 0 && bytesPerSecond > 0 && ` · ${formatBytes(bytesPerSecond)}/s`}
        {total === 0 && 'This takes a few seconds.'}
      </p>
    </section>
  );
}

function Failed({
  shoal,
  status,
  onRetry,
  onOpenFile,
}: {
  shoal: Shoal;
  status: Status;
  onRetry: () => void;
  onOpenFile: () => void;
}) {
  const next = status.error?.next;
  const freeSpace = async () => {
    for (const model of await shoal.models()) {
      if (model.kept > 0) await shoal.remove(model.id).catch(() => {});
    }
    onRetry();
  };
  return (
    <section className="card failed" aria-label="Model">
      <p role="alert">{status.error?.message ?? 'The model could not be loaded.'}</p>
      <div className="actions">
        {next === 'free-space' && (
          <button type="button" onClick={() => void freeSpace()}>
            Delete the models kept here and retry
          </button>
        )}
        <button type="button" onClick={onRetry}>
          Retry
        </button>
        {next === 'reload' && (
          <button type="button" onClick={() => location.reload()}>
            Reload the page
          </button>
        )}
        <button type="button" className="quiet" onClick={onOpenFile}>
          Open a model file…
        </button>
      </div>
    </section>
  );
}
