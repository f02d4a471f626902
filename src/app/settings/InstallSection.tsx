import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { Section } from './Section.tsx';

export function InstallSection() {
  const words = useWords().settings.install;
  const { pwa } = useDoors();
  const { installable, offlineReady } = useObservable(pwa.state);
  const installed = matchMedia('(display-mode: standalone)').matches;
  return (
    <Section title={words.title}>
      {installable ? (
        <>
          <p>{words.hint}</p>
          <div className="settings-actions">
            <button type="button" className="plain" onClick={() => void pwa.install()}>
              {words.install}
            </button>
          </div>
        </>
      ) : (
        <p>{installed ? words.installed : words.notOffered}</p>
      )}
      <p className="hint">{offlineReady ? words.offlineReady : words.notOffline}</p>
    </Section>
  );
}
