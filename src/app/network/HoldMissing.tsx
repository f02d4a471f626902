import { useEffect, useState } from 'react';
import { type ModelEntry, type NetworkMap, type ShoalError, toShoalError } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { formatBytes } from '../format.ts';
import { ShoalProgress } from '../look/ShoalProgress.tsx';
import { useObservable } from '../look/use-observable.ts';
import { hrefOf } from '../shell/views.ts';
import { useWords } from '../words/index.ts';
import { gapIn } from './missing.ts';

const MB = 2 ** 20;

/** One click that makes the network whole, or safer: this device gets and lends the layers that need it most. */
export function HoldMissing({ map }: { map: NetworkMap }) {
  const { network } = useWords();
  const { shoal, share, settings } = useDoors();
  const { sharing, state } = useObservable(shoal.membership);
  const { wanted, hold: held, error: kept } = useObservable(share.state);
  const { share: limits } = useObservable(settings);
  const entries = useModels();
  const [failed, setFailed] = useState<ShoalError | null>(null);
  const [begun, setBegun] = useState(false);
  const gap = gapIn(map.models, entries, limits.memoryMb * MB);
  const what = sharing && sharing.end > 0 ? network.held(sharing.model, sharing) : null;
  const lends = sharing !== null && sharing.state !== 'failed';
  const error = failed ?? sharing?.error ?? kept;

  const hold = async () => {
    if (!gap) return;
    setFailed(null);
    setBegun(true);
    try {
      await share.on({ model: gap.model.cid, layers: [gap.start, gap.end] });
    } catch (thrown) {
      setFailed(toShoalError(thrown));
    }
  };

  const reason = () => {
    if (lends) return what ? network.lendsAlready(what) : network.preparingAny;
    if (map.models.length === 0) return network.noModelToHold;
    if (state !== 'online') return network.notJoined;
    return gap ? null : network.nothingMissing;
  };
  const why = reason();
  const preparing = sharing?.state === 'preparing' ? sharing : null;
  return (
    <div className="card network-hold">
      {gap && !lends && (
        <p>
          {(gap.held === 0 ? network.holdMissing : network.holdThin)(gap.model.name, gap)}{' '}
          {gap.bytes === null ? network.holdUnknownCost : network.holdCost(formatBytes(gap.bytes))}
        </p>
      )}
      {preparing && (
        <>
          <p role="status">{what ? network.preparing(what) : network.preparingAny}</p>
          <ShoalProgress
            done={preparing.progress?.done ?? 0}
            total={preparing.progress?.total ?? 0}
            label={network.preparingAny}
            text={preparing.progress?.detail}
          />
          <p className="hint">{preparing.progress?.detail}</p>
        </>
      )}
      {lends && !preparing && what && (
        <p role="status">{begun ? network.holds(what) : network.lendsAlready(what)}</p>
      )}
      {wanted && held && !lends && <p role="status">{network.waits}</p>}
      {error && !lends && (
        <p className="network-error" role="alert">
          {network.held0} {error.message}
        </p>
      )}
      <div className="actions">
        <button
          type="button"
          className="primary"
          disabled={why !== null}
          aria-describedby={why && !lends ? 'network-hold-why' : undefined}
          onClick={hold}
        >
          {network.hold}
        </button>
        {(lends || wanted) && <a href={hrefOf('share')}>{network.openShare}</a>}
        {why && !lends && (
          <p className="hint" id="network-hold-why">
            {why}
          </p>
        )}
      </div>
    </div>
  );
}

/** Models with their sizes; asked once, for a cost that is told in words. */
function useModels(): readonly ModelEntry[] {
  const { shoal } = useDoors();
  const [entries, setEntries] = useState<readonly ModelEntry[]>([]);
  useEffect(() => {
    let current = true;
    shoal.models().then(
      (models) => current && setEntries(models),
      // Offline: the cost is not told.
      () => {},
    );
    return () => {
      current = false;
    };
  }, [shoal]);
  return entries;
}
