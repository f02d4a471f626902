import { Dialog } from '../look/Dialog.tsx';
import { useWords } from '../words/index.ts';
import { COMMANDS } from './commands.ts';

/** The command key's name on this device. */
const COMMAND = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : null;

export function HelpDialog({ onClose }: { onClose: () => void }) {
  const { help: words, commands } = useWords().chat;
  const main = COMMAND ?? words.control;
  const shortcuts: [keys: string[], what: string][] = [
    [[words.enter], words.send],
    [[words.shift, words.enter], words.line],
    [['↑'], words.editLast],
    [[words.escape], words.stop],
    [[main, 'K'], words.search],
    [[main, words.shift, 'O'], words.newChat],
    [[main, '/'], words.help],
  ];
  return (
    <Dialog title={words.title} onClose={onClose}>
      <div className="chat-help">
        <h3>{words.shortcuts}</h3>
        <dl>
          {shortcuts.map(([keys, what]) => (
            <div key={what}>
              <dt>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <h3>{commands.label}</h3>
        <dl>
          {COMMANDS.map((name) => (
            <div key={name}>
              <dt>
                <code>/{name}</code>
              </dt>
              <dd>{commands.about[name]}</dd>
            </div>
          ))}
        </dl>
        <p className="hint">{commands.slash}</p>
      </div>
    </Dialog>
  );
}
