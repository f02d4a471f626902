import { useDoors } from '../doors.ts';
import { goTo } from '../shell/views.ts';
import { fileName } from '../side/file-name.ts';
import { saveFile } from '../side/save-file.ts';
import { useWords } from '../words/index.ts';
import type { CommandName } from './commands.ts';
import type { ChatPage } from './page.ts';

/** Does what a slash command says; one that cannot be done now is told to be so. */
export function useCommands(page: ChatPage): (name: CommandName, text: string) => void {
  const { commands: words } = useWords().chat;
  const { thread, conversations } = useDoors();
  return (name, text) => {
    const { id, title, messages, busy } = thread.state.get();
    const question = messages.findLast(({ role }) => role === 'user');
    const answer = messages.at(-1)?.role === 'assistant' ? messages.at(-1) : undefined;
    const nothing = () => page.say(words.nothing);
    const acts: Record<CommandName, () => unknown> = {
      new: () => page.newChat(),
      temporary: () => page.newChat({ temporary: true }),
      retry: () => (answer && !busy ? thread.retry(answer.id) : nothing()),
      continue: () => (answer?.content && !busy ? thread.continue(answer.id) : nothing()),
      edit: () => (question && !busy && page.editors.open(question.id)) || nothing(),
      stop: () => (busy ? thread.stop() : nothing()),
      model: page.openModelPicker,
      system: () => {
        if (!text) return page.openOptions();
        thread.setOptions({ system: text });
        page.say(words.systemSet);
      },
      export: () => {
        if (messages.length === 0) return nothing();
        return conversations
          .exportMarkdown(id)
          .then((file) => saveFile(file, fileName(title, 'md')), nothing);
      },
      share: () => goTo('share'),
      network: () => goTo('network'),
      settings: () => goTo('settings'),
      help: page.openHelp,
    };
    void acts[name]();
  };
}
