import { useCallback, useEffect, useState } from 'react';
import { type ModelEntry, type Shoal, type ShoalError, toShoalError } from '../../sdk/early.ts';

export interface Models {
  /** Null until they are known. */
  entries: readonly ModelEntry[] | null;
  /** Why they cannot be told; what was known stays. */
  error: ShoalError | null;
  refresh: () => void;
}

/** The models this tab can load, looked up again when a load begins or ends. */
export function useModels(shoal: Shoal): Models {
  const [entries, setEntries] = useState<readonly ModelEntry[] | null>(null);
  const [error, setError] = useState<ShoalError | null>(null);
  const refresh = useCallback(() => {
    shoal.models().then(
      (found) => {
        setEntries(found);
        setError(null);
      },
      (failure: unknown) => setError(toShoalError(failure)),
    );
  }, [shoal]);
  useEffect(() => {
    refresh();
    let { phase } = shoal.status.get();
    return shoal.status.subscribe((now) => {
      if (now.phase !== phase) refresh();
      phase = now.phase;
    });
  }, [shoal, refresh]);
  return { entries, error, refresh };
}
