import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { NumberField, RangeField } from '../side/fields.tsx';
import { useWords } from '../words/index.ts';
import { Section } from './Section.tsx';
import { useChange } from './saved.tsx';
import { DEFAULTS, LIMITS } from './settings.ts';

export function AnswersSection() {
  const { answers } = useWords().settings;
  const { temperature, topP, maxTokens } = useObservable(useDoors().settings);
  const change = useChange();
  const defaults = { temperature: DEFAULTS.temperature, topP: DEFAULTS.topP, maxTokens: DEFAULTS.maxTokens };
  const changed =
    temperature !== defaults.temperature || topP !== defaults.topP || maxTokens !== defaults.maxTokens;
  return (
    <Section title={answers.title} hint={answers.hint}>
      <RangeField
        label={answers.temperature}
        hint={answers.temperatureHint}
        value={temperature}
        range={LIMITS.temperature}
        step={0.1}
        onChange={(temperature) => change({ temperature })}
      />
      <RangeField
        label={answers.topP}
        hint={answers.topPHint}
        value={topP}
        range={LIMITS.topP}
        step={0.05}
        onChange={(topP) => change({ topP })}
      />
      <NumberField
        label={answers.maxTokens}
        value={maxTokens}
        range={LIMITS.maxTokens}
        onChange={(maxTokens) => change({ maxTokens })}
      />
      <div className="settings-actions">
        <button type="button" className="plain" disabled={!changed} onClick={() => change(defaults)}>
          {answers.reset}
        </button>
      </div>
    </Section>
  );
}
