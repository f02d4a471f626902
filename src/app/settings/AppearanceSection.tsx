import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { SelectField } from '../side/fields.tsx';
import { LANGUAGES, languageFor, useWords } from '../words/index.ts';
import { choicesOf } from './choices.ts';
import { Section } from './Section.tsx';
import { useChange } from './saved.tsx';
import type { Settings } from './settings.ts';

/** Colours, motion, size of the text, and the language. */
export function AppearanceSection() {
  const { appearance, language: words } = useWords().settings;
  const { theme, motion, textSize, language } = useObservable(useDoors().settings);
  const change = useChange();
  const languages = [
    { value: 'system', label: words.system(languageFor('system', navigator.languages).name) },
    ...LANGUAGES.map(({ code, name }) => ({ value: code, label: name })),
  ];
  return (
    <>
      <Section title={appearance.title}>
        <SelectField
          label={appearance.theme}
          value={theme}
          choices={choicesOf(appearance.themes)}
          onChange={(theme) => change({ theme })}
        />
        <SelectField
          label={appearance.motion}
          value={motion}
          choices={choicesOf(appearance.motions)}
          onChange={(motion) => change({ motion })}
        />
        <SelectField
          label={appearance.textSize}
          value={textSize}
          choices={choicesOf(appearance.textSizes)}
          onChange={(textSize) => change({ textSize })}
        />
      </Section>
      <Section title={words.title}>
        <SelectField
          label={words.label}
          hint={words.hint}
          value={language}
          choices={languages}
          // The store takes those that there are.
          onChange={(language) => change({ language: language as Settings['language'] })}
        />
      </Section>
    </>
  );
}
