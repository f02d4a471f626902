import { type KeyboardEvent, useEffect, useRef } from 'react';
import { useWords } from '../words/index.ts';
import type { CommandName } from './commands.ts';

interface Props {
  id: string;
  commands: readonly CommandName[];
  chosen: CommandName;
  onChoose: (name: CommandName) => void;
  /** Of the box. */
  onKeyDown: (event: KeyboardEvent) => void;
}

/** What a slash offers. The keys stay with the box, which names the chosen one to a screen reader. */
export function CommandList({ id, commands, chosen, onChoose, onKeyDown }: Props) {
  const { commands: words } = useWords().chat;
  const option = useRef<HTMLDivElement>(null);
  // Another choice is what moves it.
  useEffect(() => {
    option.current?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  return (
    <div className="chat-commands">
      <p className="visually-hidden" role="status">
        {words.found(commands.length)}
      </p>
      {/* It scrolls, so it takes the focus as well, and then the same keys. */}
      <div
        role="listbox"
        id={id}
        aria-label={words.label}
        aria-activedescendant={`${id}-${chosen}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        {commands.map((name) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the box's.
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the box, by aria-activedescendant.
          <div
            key={name}
            id={`${id}-${name}`}
            ref={name === chosen ? option : undefined}
            role="option"
            aria-selected={name === chosen}
            // The box keeps the focus.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => onChoose(name)}
          >
            <b>/{name}</b>
            <span>{words.about[name]}</span>
          </div>
        ))}
      </div>
      <p className="hint">{words.slash}</p>
    </div>
  );
}
