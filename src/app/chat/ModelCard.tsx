import type { Status } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { formatBytes } from '../format.ts';
import { ShoalProgress } from '../look/ShoalProgress.tsx';
import { useObservable } from '../look/use-observable.ts';
import { goTo } from '../shell/views.ts';
import type { OpenModel } from '../side/use-open-model.ts';
import { useWords } from '../words/index.ts';
import { useChatPage } from './page.ts';

/** What is being done to get the model ready, or why it is not, with what to do next. Nothing once it is ready. */
export function ModelCard({ file }: { file: OpenModel }) {
  const { model: words } = useWords().chat;
  const { shoal, settings } = useDoors();
  const page = useChatPage();
  const now = useObservable(shoal.status);
  const { route } = useObservable(settings);
  const status = file.status ?? now;
  const load = () => void shoal.load(status.model?.id).catch(() => {});
  if (file.error) {
    return (
      <section className="card failed" aria-label={words.fileLabel}>
        <p role="alert">{file.error.message}</p>
        <div className="actions">
          <button type="button" onClick={page.pickModelFile}>
            {words.openOther}
          </button>
          <button type="button" className="quiet" onClick={file.dismiss}>
            {words.dismiss}
          </button>
        </div>
      </section>
    );
  }
  switch (status.phase) {
    case 'ready':
      // Another model could not be loaded; the one that runs goes on.
      return status.error && <Failed status={status} onRetry={load} />;
    case 'idle':
      // Over the network nothing has to be loaded here; and before the engine's code is here nothing is known.
      if (route === 'network' || !status.detail) return null;
      return (
        <section className="card" aria-label={words.label}>
          <p>{status.detail}</p>
          <div className="actions">
            <button type="button" onClick={load}>
              {status.model ? words.loadNamed(status.model.name) : words.load}
            </button>
          </div>
        </section>
      );
    case 'failed':
      return <Failed status={status} onRetry={load} />;
    default:
      return <Loading status={status} onCancel={file.status ? file.cancel : () => shoal.cancel()} />;
  }
}

function Loading({ status, onCancel }: { status: Status; onCancel: () => void }) {
  const { chat } = useWords();
  const words = chat.model;
  const { done, total, bytesPerSecond, detail } = status;
  const amount = total > 0 ? words.ofTotal(formatBytes(done), formatBytes(total)) : words.aFewSeconds;
  const rate = total > 0 && bytesPerSecond > 0 ? ` · ${words.rate(formatBytes(bytesPerSecond))}` : '';
  return (
    <section className="card chat-model" aria-label={words.label}>
      <p className="progress-head">
        <span>{detail}</span>
        <button type="button" className="quiet" onClick={onCancel}>
          {chat.cancel}
        </button>
      </p>
      <ShoalProgress done={done} total={total} label={detail} text={total > 0 ? amount : undefined} />
      <p className="hint">
        {amount}
        {rate}
      </p>
    </section>
  );
}

function Failed({ status, onRetry }: { status: Status; onRetry: () => void }) {
  const { model: words, thread } = useWords().chat;
  const { shoal, settings } = useDoors();
  const { route } = useObservable(settings);
  const page = useChatPage();
  const next = status.error?.next;
  const freeSpace = async () => {
    for (const model of await shoal.models()) {
      if (model.kept > 0) await shoal.remove(model.id).catch(() => {});
    }
    onRetry();
  };
  return (
    <section className="card failed" aria-label={words.label}>
      <p role="alert">{status.error?.message ?? words.failed}</p>
      <div className="actions">
        {next === 'free-space' && (
          <>
            <button type="button" onClick={() => void freeSpace()}>
              {words.deleteAndRetry}
            </button>
            <button type="button" onClick={() => goTo('settings')}>
              {thread.freeSpace}
            </button>
          </>
        )}
        <button type="button" onClick={onRetry}>
          {words.retry}
        </button>
        {next === 'reload' && (
          <button type="button" onClick={() => location.reload()}>
            {words.reload}
          </button>
        )}
        {next === 'choose-model' && (
          <button type="button" onClick={page.openModelPicker}>
            {thread.chooseModel}
          </button>
        )}
        {status.phase === 'failed' && route === 'auto' && (
          <button type="button" onClick={() => settings.change({ route: 'network' })}>
            {words.overNetwork}
          </button>
        )}
        <button type="button" className="quiet" onClick={page.pickModelFile}>
          {words.openFile}
        </button>
      </div>
    </section>
  );
}
