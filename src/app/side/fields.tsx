import { useId, useState } from 'react';
import { useWords } from '../words/index.ts';
import './fields.css';

interface NumberProps {
  label: string;
  value: number;
  range: readonly [low: number, high: number];
  onChange: (value: number) => void;
  hint?: string;
  /** The heading above says the same: the label is for screen readers only. */
  bare?: boolean;
}

/** A number on a slider, with the value beside the label; the slider says it itself. */
export function RangeField({
  label,
  value,
  range: [low, high],
  step,
  onChange,
  hint,
  bare,
}: NumberProps & { step: number }) {
  const note = useId();
  return (
    <div className="side-field">
      <label>
        <span>
          <span className={bare ? 'visually-hidden' : undefined}>{label}</span>{' '}
          <span aria-hidden="true">{value}</span>
        </span>
        <input
          type="range"
          min={low}
          max={high}
          step={step}
          value={value}
          aria-describedby={hint ? note : undefined}
          onChange={(event) => onChange(event.currentTarget.valueAsNumber)}
        />
      </label>
      {hint && <small id={note}>{hint}</small>}
    </div>
  );
}

/** A whole number in a box; what is no such number stays in the box, is told, and changes nothing. */
export function NumberField({ label, value, range: [low, high], onChange, hint, bare }: NumberProps) {
  const { side } = useWords();
  const note = useId();
  const [draft, setDraft] = useState<string | null>(null);
  const shown = draft ?? String(value);
  const valid = isWhole(shown, low, high);
  return (
    <div className="side-field">
      <label>
        <span className={bare ? 'visually-hidden' : undefined}>{label}</span>
        <input
          type="text"
          inputMode="numeric"
          value={shown}
          aria-invalid={!valid}
          aria-describedby={note}
          onChange={(event) => {
            const text = event.currentTarget.value;
            setDraft(text);
            if (isWhole(text, low, high)) onChange(Number(text));
          }}
          onBlur={() => setDraft(null)}
        />
      </label>
      <small id={note} className={valid ? undefined : 'side-field-bad'}>
        {valid && hint ? hint : side.range(low, high)}
      </small>
    </div>
  );
}

function isWhole(text: string, low: number, high: number): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) >= low && Number(text) <= high;
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  choices: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
  hint?: string;
}

export function SelectField<T extends string>({ label, value, choices, onChange, hint }: ChoiceProps<T>) {
  const note = useId();
  return (
    <div className="side-field">
      <label>
        <span>{label}</span>
        <select
          value={value}
          aria-describedby={hint ? note : undefined}
          onChange={(event) => {
            const chosen = choices.find((one) => one.value === event.currentTarget.value);
            if (chosen) onChange(chosen.value);
          }}
        >
          {choices.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {hint && <small id={note}>{hint}</small>}
    </div>
  );
}
