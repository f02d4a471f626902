import type { Phase } from '../../sdk/early.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * Who is going to answer the next question. `asked`: the user chooses while this tab's own weights are on their way.
 * `perhaps`: this tab, unless it turns out that it cannot.
 */
export function whoAnswers(
  route: Settings['route'],
  phase: Phase,
  whileLoading: Settings['whileLoading'],
): 'tab' | 'network' | 'perhaps' | 'asked' {
  if (route === 'network') return 'network';
  if (route === 'local' || phase === 'ready') return 'tab';
  if (phase === 'failed') return 'network';
  if (phase === 'idle') return 'perhaps';
  return { ask: 'asked', network: 'network', wait: 'perhaps' }[whileLoading] as
    | 'asked'
    | 'network'
    | 'perhaps';
}
