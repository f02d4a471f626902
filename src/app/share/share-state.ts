import type { Sharing } from '../../sdk/early.ts';
import type { ShareState } from './types.ts';

/** What the page says that sharing is doing. */
export type Shown = Sharing['state'] | 'off' | 'waiting';

/** `waiting`: the switch is on, a limit holds it up, and nothing is loaded. */
export function shownOf(sharing: Sharing | null, { wanted, hold, error }: ShareState): Shown {
  // While it waits for a network, or for a limit, nothing is lent; a failure before says why only until then.
  if (sharing && !(sharing.state === 'failed' && wanted && hold)) return sharing.state;
  if (!wanted) return 'off';
  if (hold) return 'waiting';
  return error ? 'failed' : 'preparing';
}
