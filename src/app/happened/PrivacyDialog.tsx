import { Dialog } from '../look/Dialog.tsx';
import { useWords } from '../words/index.ts';

/** Who can read what, in short; the long form is docs/privacy.md. */
export function PrivacyDialog({ onClose }: { onClose: () => void }) {
  const { privacy: words } = useWords().happened;
  return (
    <Dialog title={words.title} onClose={onClose}>
      <div className="happened-privacy">
        <h3>{words.here}</h3>
        <p>{words.hereText}</p>
        <h3>{words.private}</h3>
        <p>{words.privateText}</p>
        <p>{words.inversion}</p>
        <h3>{words.light}</h3>
        <p>{words.lightText}</p>
        <h3>{words.always}</h3>
        <ul>
          {words.alwaysText.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
        <h3>{words.never}</h3>
        <p>{words.neverText}</p>
      </div>
    </Dialog>
  );
}
