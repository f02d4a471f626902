import { useId } from 'react';
import type { ModelEntry } from '../../sdk/early.ts';
import { formatBytes } from '../format.ts';
import { useWords, type Words } from '../words/index.ts';
import { type Covered, keptOf } from './model-facts.ts';

interface Props {
  entry: ModelEntry;
  current: boolean;
  covered: Covered;
  onChoose: () => void;
}

/** One model: its name chooses it, the line below says what it costs here. */
export function ModelRow({ entry, current, covered, onChoose }: Props) {
  const { side } = useWords();
  const facts = useId();
  const { name, bytes, layers, license, origin, fit } = entry;
  return (
    <li className="side-model">
      <button type="button" aria-current={current} aria-describedby={facts} onClick={onChoose}>
        <span className="side-model-name">{name}</span>
        {current && <small>{side.inUse}</small>}
      </button>
      <p id={facts} className="side-facts">
        <span>
          {formatBytes(bytes)}, {side.layers(layers)}
        </span>
        <span>{kept(entry, side)}</span>
        {fit && <span className={`side-fit-${fit.verdict}`}>{fits(fit, side)}</span>}
        <span className={`side-net-${covered.kind}`}>{covers(covered, side)}</span>
        {license && <span>{side.license(license)}</span>}
        {origin === 'file' && <span>{side.yourFile}</span>}
      </p>
    </li>
  );
}

function kept(entry: ModelEntry, { kept }: Words['side']): string {
  const how = keptOf(entry);
  return how === 'part' ? kept.part(formatBytes(entry.kept)) : kept[how];
}

function fits({ verdict, neededBytes, deviceBytes }: NonNullable<ModelEntry['fit']>, { fit }: Words['side']) {
  if (verdict === 'fits') return fit.fits;
  const needed = formatBytes(neededBytes);
  return verdict === 'tight' ? fit.tight(needed, formatBytes(deviceBytes ?? 0)) : fit[verdict](needed);
}

function covers(covered: Covered, { coverage }: Words['side']): string {
  if (covered.kind === 'part') return coverage.part(covered.held, covered.of);
  return coverage[covered.kind];
}
