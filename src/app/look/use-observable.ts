import { useSyncExternalStore } from 'react';
import type { Observable } from '../../sdk/early.ts';

/** The current value, with a new render at each change. */
export function useObservable<T>(observable: Observable<T>): T {
  return useSyncExternalStore(observable.subscribe, observable.get);
}
