import { useId } from 'react';
import { LIMITS } from '../settings/settings.ts';
import { useWords } from '../words/index.ts';

/** Half as much again or a third more at each step: a slider of single megabytes cannot be set by hand. */
const STEPS = steps(LIMITS.memoryMb[0], LIMITS.memoryMb[1]);

export function MemoryField({
  megabytes,
  onChange,
}: {
  megabytes: number;
  onChange: (value: number) => void;
}) {
  const { share: words } = useWords();
  const id = useId();
  const at = STEPS.findLastIndex((step) => step <= megabytes);
  const device = deviceMegabytes();
  return (
    <div className="share-memory">
      <label htmlFor={id}>
        {words.memoryLimit}: <output>{words.megabytes(megabytes)}</output>
      </label>
      <input
        id={id}
        type="range"
        min={0}
        max={STEPS.length - 1}
        value={Math.max(0, at)}
        aria-label={words.memoryLimit}
        aria-valuetext={words.megabytes(megabytes)}
        aria-describedby={`${id}-hint`}
        onChange={({ currentTarget }) => onChange(STEPS[Number(currentTarget.value)]!)}
      />
      <small id={`${id}-hint`}>
        {words.memoryLimitHint}{' '}
        {device !== null && megabytes > device / 2 && <strong>{words.memoryLarge}</strong>}
      </small>
    </div>
  );
}

function steps(least: number, most: number): number[] {
  const found: number[] = [];
  for (let step = least; step <= most; step *= 2) found.push(step, step * 1.5);
  return found.filter((step) => step <= most);
}

/** Rounded by the browser, and at most 8 GB; null where it does not tell. */
function deviceMegabytes(): number | null {
  const gigabytes: unknown = Reflect.get(navigator, 'deviceMemory');
  // A browser says 8 for all that have more, of which half may be much more than 4.
  return typeof gigabytes === 'number' && gigabytes < 8 ? gigabytes * 1024 : null;
}
