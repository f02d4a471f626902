import { useState } from 'react';
import type { Doors } from './App.tsx';
import { LIMITS, readSettings, writeSettings } from './settings.ts';

/** Sampling settings; they hold from the next answer on. */
export function SettingsForm({ keep }: Pick<Doors, 'keep'>) {
  const [settings, setSettings] = useState(() => readSettings(keep));
  const change = (name: keyof typeof LIMITS, value: number) => {
    if (Number.isNaN(value)) return;
    const [low, high] = LIMITS[name];
    setSettings(writeSettings(keep, { [name]: Math.min(high, Math.max(low, value)) }));
  };
  return (
    <details>
      <summary>Settings</summary>
      <label>
        <span>
          Temperature <output>{settings.temperature}</output>
        </span>
        <input
          type="range"
          min={0}
          max={2}
          step={0.1}
          value={settings.temperature}
          onChange={(event) => change('temperature', event.currentTarget.valueAsNumber)}
        />
        <small>0 always takes the likeliest word; higher is more varied.</small>
      </label>
      <label>
        <span>Longest answer, in tokens</span>
        <input
          type="number"
          min={LIMITS.maxTokens[0]}
          max={LIMITS.maxTokens[1]}
          step={1}
          value={settings.maxTokens}
          onChange={(event) => change('maxTokens', Math.round(event.currentTarget.valueAsNumber))}
        />
      </label>
    </details>
  );
}
