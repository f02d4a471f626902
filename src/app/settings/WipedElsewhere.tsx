import { useEffect, useState } from 'react';
import { useDoors } from '../doors.ts';
import { useWords } from '../words/index.ts';
import { stopAll } from './stop-all.ts';
import { Wiped } from './Wiped.tsx';
import { closeStorage, onWipe } from './wipe.ts';

/** Ends this page when another tab deletes everything: nothing that is saved here must come back. */
export function WipedElsewhere() {
  const { data } = useWords().settings;
  const { thread, share, shoal } = useDoors();
  const [wiped, setWiped] = useState(false);
  useEffect(
    () =>
      onWipe(() => {
        closeStorage();
        setWiped(true);
        void stopAll({ thread, share, shoal });
      }),
    [thread, share, shoal],
  );
  return wiped ? <Wiped left={[]} text={data.wipedElsewhere} onAgain={() => {}} /> : null;
}
