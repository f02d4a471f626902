import { createContext, useContext } from 'react';
import { en, type Words } from './en.ts';

export type { Words } from './en.ts';

export interface Language {
  /** BCP 47. */
  code: string;
  /** In itself. */
  name: string;
  load: () => Promise<Words>;
}

/**
 * Every language of the page. Another one is a file that exports an object of the type `Words`, so that a missing word
 * does not compile, and a line here; it is fetched when it is chosen. Words with a number or a name in them are
 * functions, which put them where the language wants them.
 */
export const LANGUAGES: readonly Language[] = [{ code: 'en', name: 'English', load: async () => en }];

const Spoken = createContext<Words>(en);
export const WordsProvider = Spoken.Provider;

/** The words of the language that is shown. */
export function useWords(): Words {
  return useContext(Spoken);
}

/** The language for a setting: what is chosen, else the first of the browser's that there is, else English. */
export function languageFor(setting: string, wanted: readonly string[]): Language {
  const find = (code: string) =>
    LANGUAGES.find((one) => one.code === code || one.code === code.split('-')[0]);
  const found = setting === 'system' ? wanted.map(find).find((one) => one !== undefined) : find(setting);
  return found ?? LANGUAGES[0]!;
}
