import { chatWords } from '../chat/words.ts';
import { happenedWords } from '../happened/words.ts';
import { lookWords } from '../look/words.ts';
import { networkWords } from '../network/words.ts';
import { pwaWords } from '../pwa/words.ts';
import { richWords } from '../rich/words.ts';
import { settingsWords } from '../settings/words.ts';
import { shareWords } from '../share/words.ts';
import { shellWords } from '../shell/words.ts';
import { sideWords } from '../side/words.ts';

/** English, and the shape of every language: each part of the page keeps its words beside it. */
export const en = {
  shell: shellWords,
  look: lookWords,
  chat: chatWords,
  side: sideWords,
  rich: richWords,
  happened: happenedWords,
  share: shareWords,
  network: networkWords,
  settings: settingsWords,
  pwa: pwaWords,
};

export type Words = typeof en;
