import { useId } from 'react';
import { Switch } from '../look/Switch.tsx';
import { useWords } from '../words/index.ts';

type Hours = readonly [from: number, to: number];

const ALWAYS: Hours = [0, 24];
/** For those who turn the limit on: most devices rest at night. */
const NIGHT: Hours = [22, 6];
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

export function HoursField({ hours, onChange }: { hours: Hours; onChange: (hours: Hours) => void }) {
  const { share: words } = useWords();
  const id = useId();
  const [from, to] = [hours[0] % 24, hours[1] % 24];
  const limited = from !== to;
  const choose = (label: string, value: number, other: number, change: (hour: number) => void) => (
    <label>
      {label}
      <select value={value} onChange={({ currentTarget }) => change(Number(currentTarget.value))}>
        {HOURS.filter((hour) => hour !== other).map((hour) => (
          <option key={hour} value={hour}>
            {words.hour(hour)}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <div>
      <Switch label={words.someHours} checked={limited} onChange={(some) => onChange(some ? NIGHT : ALWAYS)}>
        {words.hoursHint}
      </Switch>
      {limited && (
        <fieldset className="share-hours share-beside" aria-describedby={id}>
          <legend className="visually-hidden">{words.hours}</legend>
          {choose(words.from, from, to, (hour) => onChange([hour, to]))}
          {choose(words.to, to, from, (hour) => onChange([from, hour]))}
          <span id={id} className="visually-hidden">
            {words.hoursHint}
          </span>
        </fieldset>
      )}
    </div>
  );
}
