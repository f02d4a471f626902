import { useRef, useState } from 'react';
import { toShoalError } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { FilePicker } from '../look/FilePicker.tsx';
import { ShoalProgress } from '../look/ShoalProgress.tsx';
import { useObservable } from '../look/use-observable.ts';
import { saveFile } from '../side/save-file.ts';
import { useWords } from '../words/index.ts';
import { BackupError, makeBackup, takeBackup } from './backup.ts';
import { Section } from './Section.tsx';
import { WipeDialog } from './WipeDialog.tsx';

/** Takes everything along, brings it back, or deletes it. */
export function DataSection() {
  const words = useWords().settings.data;
  const { settings, conversations } = useDoors();
  const { notice } = useObservable(conversations.state);
  const [working, setWorking] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [wiping, setWiping] = useState(false);
  const picker = useRef<HTMLInputElement>(null);

  const work = async (what: () => Promise<string | null>) => {
    setWorking(true);
    setSaid(null);
    setFailed(null);
    try {
      setSaid(await what());
    } catch (error) {
      setFailed(
        error instanceof BackupError ? words.problems[error.code] : words.failed(toShoalError(error).message),
      );
    } finally {
      setWorking(false);
    }
  };
  const save = () =>
    work(async () => {
      saveFile(await makeBackup({ settings, conversations }), 'shoal-backup.json');
      return null;
    });
  const take = (file: File) =>
    work(async () => ((await takeBackup(file, { settings, conversations })) ? words.imported : ''));

  return (
    <Section title={words.title} hint={words.hint}>
      <div className="settings-actions">
        <button type="button" className="plain" disabled={working} onClick={() => void save()}>
          {words.export}
        </button>
        <small>{words.exportHint}</small>
      </div>
      <div className="settings-actions">
        <button type="button" className="plain" disabled={working} onClick={() => picker.current?.click()}>
          {words.import}
        </button>
        <small>{words.importHint}</small>
      </div>
      {working && <ShoalProgress done={0} total={0} label={words.working} />}
      {failed !== null && (
        <p className="settings-bad" role="alert">
          {failed}
        </p>
      )}
      <p role="status">{said !== null && [said, notice].filter(Boolean).join(' ')}</p>
      <div className="settings-actions">
        <button type="button" className="bad" onClick={() => setWiping(true)}>
          {words.wipe}
        </button>
        <small>{words.wipeHint}</small>
      </div>
      <FilePicker
        input={picker}
        label={words.importFile}
        accept=".json,application/json"
        onPick={([file]) => void take(file!)}
      />
      {wiping && <WipeDialog onExport={save} onClose={() => setWiping(false)} />}
    </Section>
  );
}
