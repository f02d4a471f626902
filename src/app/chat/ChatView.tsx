import { useCallback, useMemo, useRef, useState } from 'react';
import { useDoors } from '../doors.ts';
import { PrivacyNote } from '../happened/PrivacyNote.tsx';
import { Icon } from '../look/Icon.tsx';
import { goTo, useView } from '../shell/views.ts';
import { ChatOptionsButton } from '../side/ChatOptionsButton.tsx';
import { ContextMeter } from '../side/ContextMeter.tsx';
import { ModelPicker } from '../side/ModelPicker.tsx';
import { Sidebar } from '../side/Sidebar.tsx';
import { useOpenModel } from '../side/use-open-model.ts';
import { useWide } from '../side/use-wide.ts';
import { useWords } from '../words/index.ts';
import { Announcer } from './Announcer.tsx';
import { Cards } from './Cards.tsx';
import { Composer } from './Composer.tsx';
import { Draft } from './draft.ts';
import { HelpDialog } from './HelpDialog.tsx';
import { type ChatPage, ChatPageProvider, Editors, useThread } from './page.ts';
import { pickFiles } from './pick-files.ts';
import { RouteChoice } from './RouteChoice.tsx';
import { StatusLine } from './StatusLine.tsx';
import { Thread } from './Thread.tsx';
import { ThreadRuntime } from './ThreadRuntime.tsx';
import { areModelFiles } from './text-files.ts';
import { useCommands } from './use-commands.ts';
import { useFileDrop } from './use-file-drop.ts';
import { useShortcuts } from './use-shortcuts.ts';
import type { LoadingChoice } from './WhileLoading.tsx';
import './chat.css';

/** Chats beside the conversation, the conversation, and below it what is written next. */
export function ChatView() {
  const { chat } = useWords();
  const { shoal, keep, thread } = useDoors();
  const [drawer, setDrawer] = useState(false);
  const [help, setHelp] = useState(false);
  const [choice, setChoice] = useState<LoadingChoice>({ chosen: null, always: false });
  const [said, setSaid] = useState({ text: '', at: 0 });
  const box = useRef<HTMLTextAreaElement>(null);
  const models = useRef<HTMLSpanElement>(null);
  const options = useRef<HTMLSpanElement>(null);
  const menu = useRef<HTMLButtonElement>(null);
  const file = useOpenModel(shoal);
  const view = useView();
  const wide = useWide();

  const page = useMemo<ChatPage>(
    () => ({
      draft: new Draft(keep),
      editors: new Editors(),
      chosenBranch: null,
      focusBox: () => box.current?.focus(),
      newChat: (options) => {
        thread.newChat(options);
        box.current?.focus();
      },
      say: (text) => setSaid({ text, at: Date.now() }),
      openModelPicker: () => models.current?.querySelector('button')?.click(),
      openOptions: () => options.current?.querySelector('button')?.click(),
      openHelp: () => setHelp(true),
      pickModelFile: () => pickFiles('', (picked) => void file.open(picked)),
    }),
    [keep, thread, file.open],
  );

  const closeDrawer = useCallback(() => {
    setDrawer(false);
    menu.current?.focus();
  }, []);
  const openFiles = useCallback(
    (dropped: readonly File[]) => {
      if (areModelFiles(dropped)) void file.open(dropped);
      else void page.draft.addFiles(dropped);
      page.focusBox();
    },
    [file.open, page],
  );
  const openModelFiles = useCallback((given: readonly File[]) => void file.open(given), [file.open]);
  const { over, handlers } = useFileDrop(openFiles);
  useShortcuts({
    active: view === 'chat',
    page,
    stop: () => thread.stop(),
    search: () => {
      goTo('chat');
      setDrawer(!wide);
      // Once the view and the drawer are there to take it.
      requestAnimationFrame(() => dispatchEvent(new Event('shoal:search')));
    },
  });

  const command = useCommands(page);
  const empty = useThread((state) => state.messages.length === 0);
  const cards = <Cards file={file} choice={choice} onChoice={setChoice} />;

  return (
    <ChatPageProvider value={page}>
      <div className="chat" {...handlers}>
        <Sidebar open={drawer} onClose={closeDrawer} />
        <section className="chat-main" aria-label={chat.bar}>
          <div className="chat-bar">
            <button
              ref={menu}
              type="button"
              className="icon chat-menu"
              aria-label={chat.openChats}
              aria-expanded={drawer}
              onClick={() => setDrawer(true)}
            >
              <Icon name="menu" />
            </button>
            <span ref={models} className="chat-bar-model">
              <ModelPicker />
            </span>
            <span ref={options}>
              <ChatOptionsButton />
            </span>
            <button type="button" className="quiet chat-new" onClick={() => page.newChat()}>
              <Icon name="plus" size={18} />
              <span>{chat.newChat}</span>
            </button>
          </div>
          <ThreadRuntime>
            {/* Before the first question they are read with the greeting, which a phone has no room for otherwise. */}
            <Thread greeting={cards} />
            <div className="chat-dock">
              {!empty && cards}
              <PrivacyNote />
              <Composer box={box} onCommand={command} onModelFiles={openModelFiles} />
              <div className="chat-dock-row">
                <RouteChoice />
                <ContextMeter />
              </div>
              <StatusLine />
            </div>
          </ThreadRuntime>
        </section>
        {over && (
          <div className="chat-drop" aria-hidden="true">
            {chat.composer.dropHere}
          </div>
        )}
        <Announcer extra={said} />
        {help && <HelpDialog onClose={() => setHelp(false)} />}
      </div>
    </ChatPageProvider>
  );
}
