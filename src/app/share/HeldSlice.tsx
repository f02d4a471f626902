import { useEffect, useState } from 'react';
import type { Sharing, Shoal } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { formatBackend, formatLayers, formatRange } from '../format.ts';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';

/** Cells of the strip at most: of a model with more layers several share one. */
const MOST_CELLS = 128;
const MB = 2 ** 20;

/** Which layers of which model are here, on what they run, and what they take. */
export function HeldSlice({ held }: { held: Sharing }) {
  const { share: words } = useWords();
  const { shoal, settings } = useDoors();
  const { memoryMb } = useObservable(settings).share;
  const total = useLayers(shoal, held.cid);
  const taken = words.megabytes(Math.round(held.memoryBytes / MB));
  const range = formatRange(held);
  const whole = total !== null && held.start === 0 && held.end === total;
  const some = total === null ? range : words.layersOf(range, total);
  const layers = whole ? words.layersAll(total) : some;
  return (
    <>
      {total !== null && <Strip start={held.start} end={held.end} total={total} />}
      <dl className="share-facts">
        <dt>{words.model}</dt>
        <dd>{held.model}</dd>
        <dt>{words.layers}</dt>
        <dd>{layers}</dd>
        <dt>{words.backend}</dt>
        <dd>{held.backend === null ? words.notLoaded : formatBackend(held.backend)}</dd>
        <dt>{words.memory}</dt>
        <dd>{words.memoryOf(taken, words.megabytes(memoryMb))}</dd>
      </dl>
    </>
  );
}

function Strip({ start, end, total }: { start: number; end: number; total: number }) {
  const { share: words } = useWords();
  const cells = Math.min(total, MOST_CELLS);
  const layerOf = (cell: number) => Math.floor((cell * total) / cells);
  return (
    <div className="share-strip" role="img" aria-label={words.strip(formatLayers({ start, end }), total)}>
      {Array.from({ length: cells }, (_, cell) => {
        const held = layerOf(cell) >= start && layerOf(cell) < end;
        return <span key={cell} className={held ? 'held' : undefined} />;
      })}
    </div>
  );
}

/** Layers of the whole model, null until they are known. */
function useLayers(shoal: Shoal, cid: string): number | null {
  const [known, setKnown] = useState<{ cid: string; layers: number } | null>(null);
  useEffect(() => {
    if (!cid) return;
    let current = true;
    shoal.models().then(
      (models) => {
        const model = models.find((one) => one.cid === cid);
        if (current && model) setKnown({ cid, layers: model.layers });
      },
      // Without the relay's list the strip is left out.
      () => {},
    );
    return () => {
      current = false;
    };
  }, [shoal, cid]);
  return known?.cid === cid ? known.layers : null;
}
