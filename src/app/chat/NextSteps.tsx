import { useDoors } from '../doors.ts';
import { goTo } from '../shell/views.ts';
import { useWords } from '../words/index.ts';
import { useChatPage } from './page.ts';
import type { ThreadMessage } from './types.ts';

/** What a person can do about an answer that failed or was stopped. */
export function NextSteps({ message }: { message: ThreadMessage }) {
  const { chat } = useWords();
  const { shoal, thread, settings } = useDoors();
  const page = useChatPage();
  const { id, content, error } = message;
  const words = chat.thread;
  const over = settings.get().route === 'network';
  // The button goes away with the answer.
  const again = () => {
    void thread.retry(id);
    page.focusBox();
  };
  const step = (label: string, act: () => void) => (
    <button type="button" className="plain chat-next" onClick={act}>
      {label}
    </button>
  );
  return (
    <>
      {error?.next === 'share' && step(words.share, () => goTo('share'))}
      {error?.next === 'free-space' && step(words.freeSpace, () => goTo('settings'))}
      {error?.next === 'choose-model' && step(words.chooseModel, page.openModelPicker)}
      {error?.next === 'reload' && step(words.reload, () => location.reload())}
      {error?.next === 'new-chat' && step(chat.newChat, () => page.newChat())}
      {over &&
        (error?.code === 'no-peers' || error?.code === 'no-capacity' || error?.code === 'unreachable') &&
        step(words.answerHere, () => {
          settings.change({ route: 'auto' });
          // A page that began on the network alone has no model yet. A load that fails shows itself in the status.
          if (shoal.status.get().phase === 'idle') void shoal.load().catch(() => {});
          again();
        })}
      {step(words.tryAgain, again)}
      {!content && step(words.editMessage, () => void thread.takeBack())}
    </>
  );
}
