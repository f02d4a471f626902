import type { Sharing } from '../../sdk/early.ts';
import { formatLayers } from '../format.ts';
import { useWords } from '../words/index.ts';
import { shownOf } from './share-state.ts';
import type { ShareState } from './types.ts';

/** For a screen reader: each change of state once; the counts would be read aloud at every token. */
export function Announced({ sharing, state }: { sharing: Sharing | null; state: ShareState }) {
  const { share } = useWords();
  const shown = shownOf(sharing, state);
  const parts: string[] = [share.now[shown].replace(/\.$/, '')];
  if (shown === 'sharing' && sharing) parts.push(share.holds(`${formatLayers(sharing)} of ${sharing.model}`));
  if (shown === 'draining') parts.push(share.finishing);
  if ((shown === 'paused' || shown === 'waiting') && state.hold) parts.push(share.hold[state.hold]);
  if (shown === 'failed') parts.push((sharing?.error ?? state.error)?.message ?? share.failed);
  return (
    <p className="visually-hidden" role="status" aria-label={share.status}>
      {parts.join('. ')}
    </p>
  );
}
