import type { Sharing, ShoalError } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { formatBytes } from '../format.ts';
import { Icon } from '../look/Icon.tsx';
import { ShoalProgress } from '../look/ShoalProgress.tsx';
import { Switch } from '../look/Switch.tsx';
import { hrefOf } from '../shell/views.ts';
import { useWords } from '../words/index.ts';
import { HeldSlice } from './HeldSlice.tsx';
import { type Shown, shownOf } from './share-state.ts';
import type { Helped, Hold, ShareState } from './types.ts';

interface Props {
  sharing: Sharing | null;
  state: ShareState;
}

/** The one switch, what it does now, and what can be done about it. */
export function ShareCard({ sharing, state }: Props) {
  const { share: words } = useWords();
  const { share } = useDoors();
  const shown = shownOf(sharing, state);
  const checked = shown !== 'off' && shown !== 'draining' && (state.wanted || shown !== 'failed');
  return (
    <section className={`card share-card ${shown}`} aria-labelledby="share-state">
      <Switch
        label={words.switch}
        checked={checked}
        disabled={shown === 'draining'}
        onChange={(on) => void (on ? share.on() : share.off())}
      >
        {words.lead}
      </Switch>
      <div className="share-now">
        <p id="share-state">
          <strong>{words.now[shown]}</strong> <Detail shown={shown} sharing={sharing} state={state} />
        </p>
        {sharing && (shown === 'sharing' || shown === 'paused' || shown === 'draining') && (
          <HeldSlice held={sharing} />
        )}
        {state.today.conversations > 0 && <Today helped={state.today} />}
        {shown === 'preparing' && <Preparing sharing={sharing} />}
        {shown === 'failed' && <Failure error={sharing?.error ?? state.error} />}
        <Actions shown={shown} hold={state.hold} />
      </div>
    </section>
  );
}

function Today({ helped: { conversations, tokens } }: { helped: Helped }) {
  const { share: words } = useWords();
  const count = new Intl.NumberFormat(document.documentElement.lang || undefined);
  return <p>{words.helpedToday(conversations, count.format(tokens))}</p>;
}

function Detail({ shown, sharing, state }: Props & { shown: Shown }) {
  const { share: words } = useWords();
  if (shown === 'sharing' && sharing) {
    return <span className="hint">{words.serving(sharing.sessions)}</span>;
  }
  if (shown === 'draining') return <span className="hint">{words.finishing}</span>;
  if ((shown === 'paused' || shown === 'waiting') && state.hold) {
    return <span className="hint">{words.hold[state.hold]}</span>;
  }
  return null;
}

function Preparing({ sharing }: { sharing: Sharing | null }) {
  const { share: words } = useWords();
  const { detail, done, total } = sharing?.progress ?? { detail: words.now.preparing, done: 0, total: 0 };
  const bytes = total > 0 ? words.bytesOf(formatBytes(done), formatBytes(total)) : undefined;
  return (
    <div className="share-progress">
      <p className="hint">
        {detail}
        {bytes && ` · ${bytes}`}
      </p>
      <ShoalProgress done={done} total={total} label={words.progress(detail)} text={bytes} />
    </div>
  );
}

function Failure({ error }: { error: ShoalError | null }) {
  const { share: words } = useWords();
  const { share } = useDoors();
  return (
    <>
      <p className="share-error">
        {error?.message ?? words.failed} {error?.code === 'unreachable' && words.tryAgainByItself}
      </p>
      <div className="share-actions">
        <button type="button" className="plain" onClick={() => void share.on()}>
          <Icon name="retry" size={18} /> {words.again}
        </button>
        {error?.next === 'free-space' && <a href={hrefOf('settings')}>{words.freeSpace}</a>}
        {error?.next === 'reload' && (
          <button type="button" className="plain" onClick={() => location.reload()}>
            {words.reload}
          </button>
        )}
        <button type="button" className="quiet" onClick={() => void share.off()}>
          {words.dismiss}
        </button>
      </div>
    </>
  );
}

function Actions({ shown, hold }: { shown: Shown; hold: Hold | null }) {
  const { share: words } = useWords();
  const { share } = useDoors();
  if (shown === 'preparing') {
    return (
      <div className="share-actions">
        <button type="button" className="plain" onClick={() => void share.off()}>
          {words.cancel}
        </button>
      </div>
    );
  }
  if (shown === 'waiting' && hold === 'paused') {
    return (
      <div className="share-actions">
        <button type="button" className="plain" onClick={() => void share.resume()}>
          <Icon name="play" size={18} /> {words.resume}
        </button>
      </div>
    );
  }
  if (shown !== 'sharing' && shown !== 'paused' && shown !== 'draining') return null;
  const byHand = shown === 'paused' && (hold === 'paused' || hold === null);
  return (
    <>
      <div className="share-actions">
        {shown !== 'draining' && (
          <button
            type="button"
            className="plain"
            onClick={() => void (byHand ? share.resume() : share.pause())}
          >
            <Icon name={byHand ? 'play' : 'pause'} size={18} /> {byHand ? words.resume : words.pause}
          </button>
        )}
        {shown !== 'draining' && (
          <button type="button" className="plain" onClick={() => void share.off()}>
            {words.finish}
          </button>
        )}
        <button type="button" className="plain" onClick={() => void share.off({ force: true })}>
          {words.stop}
        </button>
      </div>
      <p className="hint">{words.finishHint}</p>
    </>
  );
}
