import { useId } from 'react';
import type { SharePower } from '../../sdk/early.ts';
import { useWords } from '../words/index.ts';

const POWERS: readonly SharePower[] = ['light', 'medium', 'full'];

export function PowerField({
  power,
  onChange,
}: {
  power: SharePower;
  onChange: (power: SharePower) => void;
}) {
  const { share: words } = useWords();
  const id = useId();
  return (
    <fieldset className="share-power" aria-describedby={`${id}-hint`}>
      <legend>{words.power}</legend>
      {POWERS.map((one) => (
        <label key={one}>
          <input type="radio" name={id} checked={one === power} onChange={() => onChange(one)} />
          <span>
            {words.powers[one].name}
            <small>{words.powers[one].means}</small>
          </span>
        </label>
      ))}
      <p id={`${id}-hint`} className="hint">
        {words.powerHint}
      </p>
    </fieldset>
  );
}
