import { createContext, useContext } from 'react';
import type { Observable, Shoal, ShoalError } from '../sdk/early.ts';
import type { Conversations, Thread } from './chat/types.ts';
import type { Keep } from './keep.ts';
import type { Pwa } from './pwa/types.ts';
import type { SettingsStore } from './settings/settings.ts';
import type { ShareKeeper } from './share/types.ts';

/** What every part of the page may use. Made once in main.tsx. */
export interface Doors {
  shoal: Shoal;
  keep: Keep;
  settings: SettingsStore;
  thread: Thread;
  conversations: Conversations;
  share: ShareKeeper;
  pwa: Pwa;
  /** The relays that the page's address names, null for the page's own or those of the settings. */
  relay: string | null;
  /** Why a relay in the page's address or the settings could not be taken. */
  problem: Observable<{ error: ShoalError | null }>;
}

const Context = createContext<Doors | null>(null);
export const DoorsProvider = Context.Provider;

export function useDoors(): Doors {
  const doors = useContext(Context);
  if (!doors) throw new Error('The page was drawn without its doors.');
  return doors;
}
