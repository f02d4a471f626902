import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { Announced } from './Announced.tsx';
import { HelpedTable } from './HelpedTable.tsx';
import { LimitsForm } from './LimitsForm.tsx';
import { ShareCard } from './ShareCard.tsx';
import { Leaves, Risks, WhenHidden } from './Truths.tsx';
import './share.css';

/** Everything about lending this device: the switch, what it does, what it may take, and what others learn by it. */
export function ShareView() {
  const { shell } = useWords();
  const { shoal, share } = useDoors();
  const { sharing } = useObservable(shoal.membership);
  const state = useObservable(share.state);
  return (
    <div className="page share">
      <h1>{shell.views.share}</h1>
      <Announced sharing={sharing} state={state} />
      <ShareCard sharing={sharing} state={state} />
      <Risks />
      <LimitsForm />
      <HelpedTable state={state} backend={sharing?.backend ?? null} />
      <WhenHidden />
      <Leaves />
    </div>
  );
}
