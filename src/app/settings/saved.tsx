import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from 'react';
import { useDoors } from '../doors.ts';
import { useWords } from '../words/index.ts';
import type { Settings } from './settings.ts';

/** Milliseconds that "Saved" stays. */
const SHOWN_MS = 2_000;

type Change = (change: Partial<Settings>) => void;
const Context = createContext<Change>(() => {});

/** Changes settings and says that it did, for the eye and for a screen reader. */
export function useChange(): Change {
  return useContext(Context);
}

export function SavedProvider({ children }: { children: ReactNode }) {
  const words = useWords().settings;
  const { settings } = useDoors();
  /** Counts changes: each of them is said, also the same word again. */
  const [saved, setSaved] = useState(0);
  const [shown, setShown] = useState(false);
  const change = useCallback<Change>(
    (change) => {
      settings.change(change);
      setSaved((count) => count + 1);
      setShown(true);
    },
    [settings],
  );
  useEffect(() => {
    if (saved === 0) return;
    const timer = setTimeout(() => setShown(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [saved]);
  return (
    <Context.Provider value={change}>
      {children}
      <div className="settings-saved" role="status" aria-label={words.saved}>
        {shown && <span key={saved}>{words.saved}</span>}
      </div>
    </Context.Provider>
  );
}
