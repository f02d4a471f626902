import { useRef, useState } from 'react';
import { useDoors } from '../doors.ts';
import { FilePicker } from '../look/FilePicker.tsx';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { Confirm } from './Confirm.tsx';
import { MenuButton, type MenuItem } from './MenuButton.tsx';
import { saveFile } from './save-file.ts';

interface Props {
  attempt: (work: () => Promise<void>) => Promise<void>;
  onImport: (files: File[]) => void;
}

/** Import, export and deletion of all conversations. */
export function AllMenu({ attempt, onImport }: Props) {
  const { side } = useWords();
  const { conversations } = useDoors();
  const { items } = useObservable(conversations.state);
  const [asking, setAsking] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const save = async () => saveFile(await conversations.exportJson(), 'shoal-conversations.json');
  const some: MenuItem[] = [
    { label: side.exportAll, icon: 'download', act: () => void attempt(save) },
    { label: side.removeAll, icon: 'trash', bad: true, act: () => setAsking(true) },
  ];
  return (
    <>
      <MenuButton
        label={side.moreAll}
        items={[
          { label: side.import, icon: 'attach', act: () => picker.current?.click() },
          ...(items.length > 0 ? some : []),
        ]}
      />
      <FilePicker
        input={picker}
        label={side.importFiles}
        accept=".json,application/json"
        multiple
        onPick={onImport}
      />
      {asking && (
        <Confirm
          title={side.removeAllTitle}
          text={side.removeAllText(items.length)}
          action={side.remove}
          onClose={() => setAsking(false)}
          onConfirm={() => void attempt(() => conversations.removeAll())}
        />
      )}
    </>
  );
}
