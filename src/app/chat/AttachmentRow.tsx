import { formatBytes } from '../format.ts';
import { Icon } from '../look/Icon.tsx';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import type { DraftAttachment } from './draft.ts';
import { useChatPage } from './page.ts';

/** What goes along with the next question, and what could not be taken. */
export function AttachmentRow({ onIntoBox }: { onIntoBox: (one: DraftAttachment) => void }) {
  const words = useWords().chat.composer;
  const { draft, focusBox } = useChatPage();
  const { attachments, refused, fleeting } = useObservable(draft);
  const pasted = attachments.some((one) => one.pasted);
  return (
    <>
      {attachments.length > 0 && (
        <ul className="chat-attachments" aria-label={words.attachments}>
          {attachments.map((one) => (
            <li key={one.id}>
              <span className="chat-attachment-name">{one.name}</span>
              <small>{formatBytes(new Blob([one.text]).size)}</small>
              {one.pasted && (
                <button type="button" className="quiet" onClick={() => onIntoBox(one)}>
                  {words.intoBox}
                </button>
              )}
              <button
                type="button"
                className="icon chat-small"
                aria-label={words.remove(one.name)}
                onClick={() => {
                  draft.remove(one.id);
                  focusBox();
                }}
              >
                <Icon name="close" size={15} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {/* There before its words are, so that a screen reader hears them come. */}
      <div role="status" className="chat-composer-notes">
        {pasted && <p className="hint">{words.pastedNote}</p>}
        {fleeting && <p className="hint">{words.notSaved}</p>}
        {refused.length > 0 && (
          <div className="chat-refused">
            <ul>
              {refused.map(({ name, why }) => (
                <li key={`${name} ${why}`}>{words.refusal(name, words.refused[why])}</li>
              ))}
            </ul>
            <button type="button" className="quiet" onClick={() => draft.dismiss()}>
              {words.dismiss}
            </button>
          </div>
        )}
      </div>
    </>
  );
}
