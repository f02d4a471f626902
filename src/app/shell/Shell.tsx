import { type ComponentType, lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react';
import { ChatView } from '../chat/ChatView.tsx';
import { useDoors } from '../doors.ts';
import { Icon } from '../look/Icon.tsx';
import { Logo } from '../look/Logo.tsx';
import { useObservable } from '../look/use-observable.ts';
import { PwaBanner } from '../pwa/PwaBanner.tsx';
import { WipedElsewhere } from '../settings/WipedElsewhere.tsx';
import { languageFor, useWords, type Words, WordsProvider } from '../words/index.ts';
import { Mend } from './Mend.tsx';
import { hrefOf, useView, VIEWS, type View } from './views.ts';
import './shell.css';

/** Views other than the chat arrive when they are first opened. */
const LATER: Record<Exclude<View, 'chat'>, ComponentType> = {
  share: lazy(async () => ({ default: (await import('../share/ShareView.tsx')).ShareView })),
  network: lazy(async () => ({ default: (await import('../network/NetworkView.tsx')).NetworkView })),
  settings: lazy(async () => ({ default: (await import('../settings/SettingsView.tsx')).SettingsView })),
};

/** The frame around every view: name, links, what concerns the whole page, and the view itself. */
export function Shell({ words }: { words: Words }) {
  return (
    <Spoken first={words}>
      <Frame />
    </Spoken>
  );
}

function Frame() {
  const { shell } = useWords();
  const { settings, relay, problem } = useDoors();
  const { theme, motion, textSize } = useObservable(settings);
  const { error } = useObservable(problem);
  const view = useView();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(view);

  useEffect(() => {
    const { dataset } = document.documentElement;
    dataset.theme = theme;
    dataset.motion = motion;
    dataset.text = textSize;
  }, [theme, motion, textSize]);

  useEffect(() => {
    document.title = view === 'chat' ? shell.name : `${shell.views[view]} · ${shell.name}`;
    // A link to another view takes the keyboard and the screen reader along.
    if (shown.current !== view) main.current?.focus();
    shown.current = view;
  }, [view, shell]);

  const Later = view === 'chat' ? null : LATER[view];
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: a link within the page; only its fragment is not put into the address. */}
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          // The fragment names the view, and stays.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {shell.skip}
      </a>
      <header className="top">
        <a className="name" href={hrefOf('chat')} aria-label={shell.name}>
          <Logo size={26} />
          <span>{shell.name}</span>
        </a>
        <nav aria-label={shell.navigation}>
          {VIEWS.map((one) => (
            <a key={one} href={hrefOf(one)} aria-current={one === view ? 'page' : undefined}>
              <Icon name={one} />
              <span>{shell.views[one]}</span>
            </a>
          ))}
        </nav>
      </header>
      <WipedElsewhere />
      <div className="banners">
        <PwaBanner />
        {error && (
          <p className="banner" role="alert">
            {error.message} {shell.pageRelayInstead}
          </p>
        )}
      </div>
      <main id="main" ref={main} tabIndex={-1} data-view={view} data-relay={relay ?? undefined}>
        {/* The chat stays: an answer goes on, and its place is kept, while another view is looked at. */}
        <div className="view" hidden={view !== 'chat'}>
          <Mend>
            <ChatView />
          </Mend>
        </div>
        {Later && (
          <div className="view scrolls">
            <Mend key={view}>
              <Suspense fallback={<p className="hint loading">{shell.loading}</p>}>
                <Later />
              </Suspense>
            </Mend>
          </div>
        )}
      </main>
    </>
  );
}

/** The language of the settings, with the first one shown until another is here. */
function Spoken({ first, children }: { first: Words; children: ReactNode }) {
  const { settings } = useDoors();
  const { language } = useObservable(settings);
  const [words, setWords] = useState(first);
  useEffect(() => {
    let current = true;
    const chosen = languageFor(language, navigator.languages);
    document.documentElement.lang = chosen.code;
    chosen.load().then(
      (loaded) => current && setWords(loaded),
      // Offline: the page stays in the language it has.
      () => {},
    );
    return () => {
      current = false;
    };
  }, [language]);
  return <WordsProvider value={words}>{children}</WordsProvider>;
}
