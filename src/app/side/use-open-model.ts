import { useCallback, useRef, useState } from 'react';
import { type Shoal, type ShoalError, type Status, toShoalError } from '../../sdk/early.ts';

export interface OpenModel {
  /** What is being read of a file, null when none is. */
  status: Status | null;
  error: ShoalError | null;
  /** @returns whether the file was a model; it is being loaded then */
  open: (files: readonly File[]) => Promise<boolean>;
  cancel: () => void;
  dismiss: () => void;
}

/** Opens a model file of the user's. The model that runs goes on until the new one was read and checked. */
export function useOpenModel(shoal: Shoal): OpenModel {
  const [status, setStatus] = useState<Status | null>(null);
  const [error, setError] = useState<ShoalError | null>(null);
  const running = useRef<AbortController | null>(null);

  const open = useCallback(
    async (files: readonly File[]) => {
      running.current?.abort();
      const control = new AbortController();
      running.current = control;
      setError(null);
      try {
        const model = await shoal.addModel(files, { signal: control.signal, onProgress: setStatus });
        // A load that fails shows itself in the status.
        void shoal.load(model.id).catch(() => {});
        return true;
      } catch (failure) {
        const told = toShoalError(failure);
        if (told.code !== 'aborted') setError(told);
        return false;
      } finally {
        if (running.current === control) {
          running.current = null;
          setStatus(null);
        }
      }
    },
    [shoal],
  );
  const cancel = useCallback(() => running.current?.abort(), []);
  const dismiss = useCallback(() => setError(null), []);
  return { status, error, open, cancel, dismiss };
}
