import { useCallback, useEffect, useRef, useState } from 'react';
import type { ModelEntry } from '../sdk/index.ts';
import type { Doors } from './App.tsx';
import { formatBytes } from './format.ts';
import { SettingsForm } from './SettingsForm.tsx';
import { useObservable } from './use-observable.ts';

/** Earlier conversations that are offered: more would need a search. */
const EARLIER_SHOWN = 12;

interface Props extends Doors {
  onNewChat: () => void;
  onOpenFile: () => void;
}

/** Chats, models, storage and settings. It closes itself on Escape and on a click beside it. */
export function Menu({ shoal, chat, keep, onNewChat, onOpenFile }: Props) {
  const status = useObservable(shoal.status);
  const { earlier, id } = useObservable(chat.state);
  const [models, setModels] = useState<ModelEntry[]>([]);
  const [open, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);

  const refresh = useCallback(() => {
    shoal.models().then(setModels, () => setModels([]));
  }, [shoal]);
  useEffect(() => {
    if (!open) return;
    refresh();
    // A load that ends while the menu is open means another cached model.
    let phase = shoal.status.get().phase;
    return shoal.status.subscribe((now) => {
      if (now.phase !== phase) refresh();
      phase = now.phase;
    });
  }, [open, refresh, shoal]);

  const act = (work: () => void) => () => {
    menu.current?.hidePopover();
    work();
  };

  return (
    <div
      id="menu"
      ref={menu}
      popover="auto"
      className="menu"
      role="dialog"
      aria-label="Menu"
      onToggle={(event) => setOpen(event.newState === 'open')}
    >
      <button type="button" onClick={act(onNewChat)}>
        New chat
      </button>
      <button type="button" onClick={act(onOpenFile)}>
        Open a model file…
      </button>

      {earlier.length > 0 && (
        <section aria-label="Earlier chats">
          <h2>Earlier chats</h2>
          <ul>
            {earlier.slice(0, EARLIER_SHOWN).map((one) => (
              <li key={one.id}>
                <button
                  type="button"
                  aria-current={one.id === id}
                  onClick={act(() => void chat.open(one.id))}
                >
                  {one.title || 'Untitled'}
                </button>
                <button
                  type="button"
                  className="quiet"
                  aria-label={`Delete the chat ${one.title}`}
                  onClick={() => void chat.remove(one.id)}
                >
                  Delete
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}

      <section aria-label="Models">
        <h2>Models</h2>
        <ul>
          {models.map((model) => (
            <li key={model.cid}>
              <button
                type="button"
                aria-current={model.cid === status.model?.cid}
                onClick={act(() => void shoal.load(model.id).catch(() => {}))}
              >
                {model.name}
                <small>
                  {formatBytes(model.bytes)}
                  {model.license ? ` · ${model.license}` : ''}
                  {keptOf(model)}
                </small>
              </button>
              {model.kept > 0 && (
                <button
                  type="button"
                  className="quiet"
                  aria-label={`Delete the model ${model.name}`}
                  onClick={() => void shoal.remove(model.id).then(refresh, refresh)}
                >
                  Delete
                </button>
              )}
            </li>
          ))}
        </ul>
        {status.storage && (
          <p className="hint">
            {status.storage.kind === 'memory'
              ? `${formatBytes(status.storage.used)} of models in memory; gone when this tab closes.`
              : `${formatBytes(status.storage.used)} of models kept in this browser${
                  status.storage.quota ? `, of ${formatBytes(status.storage.quota)} it allows` : ''
                }.`}
          </p>
        )}
      </section>

      <SettingsForm keep={keep} />
    </div>
  );
}

function keptOf({ cached, kept }: ModelEntry): string {
  if (cached) return ' · kept here';
  return kept > 0 ? ` · ${formatBytes(kept)} kept here` : '';
}
