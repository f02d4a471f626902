import { useId, useState } from 'react';
import { useWords } from '../words/index.ts';
import { defaultWatts, ENERGY_LIMITS, type EnergyAssumptions, WORLD_GRAMS_PER_KWH } from './energy.ts';

interface Props {
  assumed: EnergyAssumptions;
  backend: string | null;
  onChange: (assumed: EnergyAssumptions) => void;
}

/** The assumptions of the estimate, to be read and to be replaced by what is known. */
export function EnergyForm({ assumed, backend, onChange }: Props) {
  const { share: words } = useWords();
  const usual = defaultWatts(backend);
  const kind = backend === null || backend === 'wasm' ? words.cpu : words.gpu;
  const changed = assumed.watts !== null || assumed.gramsPerKwh !== WORLD_GRAMS_PER_KWH;
  return (
    <details className="share-energy">
      <summary>{words.energyTitle}</summary>
      <p className="hint">{words.energyHow}</p>
      <NumberField
        // A value that is set back shows in the field as well.
        key={`watts ${assumed.watts === null}`}
        label={words.watts}
        hint={words.wattsHint(kind, usual)}
        value={assumed.watts ?? usual}
        range={ENERGY_LIMITS.watts}
        onChange={(watts) => onChange({ ...assumed, watts })}
      />
      <NumberField
        key={`grid ${assumed.gramsPerKwh === WORLD_GRAMS_PER_KWH}`}
        label={words.grid}
        hint={words.gridHint}
        value={assumed.gramsPerKwh}
        range={ENERGY_LIMITS.gramsPerKwh}
        onChange={(gramsPerKwh) => onChange({ ...assumed, gramsPerKwh })}
      />
      {changed && (
        <button
          type="button"
          className="quiet"
          onClick={() => onChange({ watts: null, gramsPerKwh: WORLD_GRAMS_PER_KWH })}
        >
          {words.usual}
        </button>
      )}
    </details>
  );
}

interface FieldProps {
  label: string;
  hint: string;
  value: number;
  range: readonly [least: number, most: number];
  onChange: (value: number) => void;
}

function NumberField({ label, hint, value, range: [least, most], onChange }: FieldProps) {
  const { share: words } = useWords();
  const id = useId();
  const [text, setText] = useState(String(value));
  const given = text.trim() === '' ? Number.NaN : Number(text.replace(',', '.'));
  const wrong = !(given >= least && given <= most);
  return (
    <div className="share-number">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="text"
        inputMode="decimal"
        autoComplete="off"
        value={text}
        aria-invalid={wrong}
        aria-describedby={`${id}-hint`}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
          const next = Number(currentTarget.value.replace(',', '.'));
          if (currentTarget.value.trim() !== '' && next >= least && next <= most) onChange(next);
        }}
      />
      <small id={`${id}-hint`} className={wrong ? 'share-error' : undefined}>
        {wrong ? words.wrongNumber(least, most) : hint}
      </small>
    </div>
  );
}
