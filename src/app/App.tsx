import { useCallback, useEffect, useRef, useState } from 'react';
import { type Shoal, type ShoalError, type Status, toShoalError } from '../sdk/index.ts';
import { Composer } from './Composer.tsx';
import { Conversation } from './Conversation.tsx';
import type { ChatStore } from './chat-store.ts';
import { Header } from './Header.tsx';
import type { openKeep } from './keep.ts';
import { ModelCard } from './ModelCard.tsx';
import { NetworkBar } from './NetworkBar.tsx';
import { NetworkView } from './NetworkView.tsx';
import { StatusLine } from './StatusLine.tsx';
import { readSettings, type Settings, writeSettings } from './settings.ts';
import type { ShareStore } from './share-store.ts';
import { useObservable } from './use-observable.ts';

export interface Doors {
  shoal: Shoal;
  chat: ChatStore;
  keep: ReturnType<typeof openKeep>;
  share: ShareStore;
  /** The relay that the page's address names, null for the page's own. */
  relay: string | null;
  /** Why a relay in the page's address could not be taken. */
  problem: ShoalError | null;
}

/** The chat page: header, conversation, what the model is doing, and the box to write in. */
export function App({ shoal, chat, keep, share, relay, problem }: Doors) {
  const status = useObservable(shoal.status);
  const state = useObservable(chat.state);
  const membership = useObservable(shoal.membership);
  const [settings, setSettings] = useState(() => readSettings(keep));
  const [opening, setOpening] = useState<{ status: Status; cancel: () => void } | null>(null);
  const [fileError, setFileError] = useState<ShoalError | null>(null);
  const picker = useRef<HTMLInputElement>(null);
  const box = useRef<HTMLTextAreaElement>(null);

  const openFiles = useCallback(
    async (files: File[]) => {
      setFileError(null);
      if (files.length === 0) return;
      const control = new AbortController();
      const cancel = () => control.abort();
      try {
        const model = await shoal.addModel(files, {
          signal: control.signal,
          onProgress: (status) => setOpening({ status, cancel }),
        });
        setOpening(null);
        // A load that fails shows itself in the status.
        await shoal.load(model.id).catch(() => {});
      } catch (error) {
        setOpening(null);
        const told = toShoalError(error);
        if (told.code !== 'aborted') setFileError(told);
      }
    },
    [shoal],
  );

  const newChat = useCallback(() => {
    chat.newChat();
    box.current?.focus();
  }, [chat]);

  const changeSettings = (change: Partial<Settings>) => {
    setSettings(writeSettings(keep, change));
    // A page that began on the network alone has no model yet. A load that fails shows itself in the status.
    const wanted = change.route !== undefined && change.route !== 'network';
    if (wanted && shoal.status.get().phase === 'idle') void shoal.load().catch(() => {});
  };

  useEffect(() => {
    const stopOnEscape = (event: KeyboardEvent) => {
      // An open menu closes first.
      if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector(':popover-open')) {
        chat.stop();
      }
    };
    window.addEventListener('keydown', stopOnEscape);
    return () => window.removeEventListener('keydown', stopOnEscape);
  }, [chat]);

  return (
    <>
      <Header
        shoal={shoal}
        chat={chat}
        keep={keep}
        share={share}
        relay={relay}
        problem={problem}
        onNewChat={newChat}
        onOpenFile={() => picker.current?.click()}
      />
      <main>
        <Conversation
          chat={chat}
          status={status}
          membership={membership}
          settings={settings}
          onAsk={(text) => void chat.send(text)}
          onNewChat={newChat}
        />
        <div className="dock">
          {problem && (
            <section className="card failed" aria-label="Relay">
              <p role="alert">{problem.message} The page’s own relay is used instead.</p>
            </section>
          )}
          <ModelCard
            shoal={shoal}
            route={settings.route}
            status={opening?.status ?? status}
            onCancel={opening?.cancel ?? (() => shoal.cancel())}
            fileError={fileError}
            onDismiss={() => setFileError(null)}
            onOpenFile={() => picker.current?.click()}
          />
          <Composer
            ref={box}
            chat={chat}
            busy={state.busy}
            returned={state.returned}
            status={status}
            route={settings.route}
            keep={keep}
          />
          <NetworkBar membership={membership} settings={settings} share={share} onChange={changeSettings} />
          <StatusLine status={status} route={settings.route} notKept={state.notKept} />
        </div>
      </main>
      <NetworkView shoal={shoal} relay={relay} />
      <p className="visually-hidden" aria-live="polite">
        {state.announcement && `Shoal: ${state.announcement}`}
      </p>
      <input
        ref={picker}
        type="file"
        className="visually-hidden"
        aria-label="Model file"
        tabIndex={-1}
        multiple
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          // The same file may be picked again after it was mended.
          event.currentTarget.value = '';
          void openFiles(files);
        }}
      />
    </>
  );
}
