import { useEffect, useState } from 'react';
import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { InstallNotice } from './InstallNotice.tsx';
import { Notice } from './Notice.tsx';
import { UpdateNotice } from './UpdateNotice.tsx';
import './pwa.css';

/** What concerns the page as a whole: offline, a newer page, lost storage, an offer to install. */
export function PwaBanner() {
  const { pwa: words } = useWords();
  const { pwa, shoal } = useDoors();
  const { online, update, storageLost, launchProblem, offlineReady } = useObservable(pwa.state);
  const { phase, engine } = useObservable(shoal.status);
  const backend = engine?.backend;

  useEffect(() => {
    if (backend && offlineReady) pwa.keepRuntime(backend);
  }, [pwa, backend, offlineReady]);

  return (
    <>
      {storageLost && (
        <Notice bad text={`${words.storageLost} ${words.storageLostNext}`}>
          <Dismiss onClick={() => pwa.dismiss('storageLost')} />
        </Notice>
      )}
      {launchProblem && (
        <Notice bad text={launchProblem === 'too-large' ? words.tooLarge : words.noRoom}>
          <Dismiss onClick={() => pwa.dismiss('launchProblem')} />
        </Notice>
      )}
      {update === 'none' ? <OtherVersions /> : <UpdateNotice />}
      {!online && (
        <Notice text={`${words.offline} ${phase === 'ready' ? words.offlineAnswers : words.offlineWaits}`} />
      )}
      <InstallNotice />
    </>
  );
}

/** Peers that speak another version of the protocol: they are never computed with. */
function OtherVersions() {
  const { pwa: words } = useWords();
  const { shoal } = useDoors();
  const { otherVersions } = useObservable(shoal.membership);
  const [dismissed, setDismissed] = useState(0);
  if (otherVersions <= dismissed) return null;
  return (
    <Notice text={`${words.otherVersions(otherVersions)} ${words.otherVersionsNext}`}>
      <button type="button" onClick={() => location.reload()}>
        {words.reload}
      </button>
      <Dismiss onClick={() => setDismissed(otherVersions)} />
    </Notice>
  );
}

function Dismiss({ onClick }: { onClick: () => void }) {
  const { pwa: words } = useWords();
  return (
    <button type="button" className="quiet" onClick={onClick}>
      {words.dismiss}
    </button>
  );
}
