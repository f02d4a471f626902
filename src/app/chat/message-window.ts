/** Messages shown at first and added by each step back: a few screens, and each costs the library some with each token. */
export const STEP = 40;
/** Messages after which a new one lets some of the oldest go at once, although the page stirs above. */
const MOST = 5 * STEP;
/** How many at a time: taking 60 out of the page was a task of 200 ms on a busy machine. */
const LET_GO = STEP / 4;

/** The part of a conversation that is drawn: its messages from `from` on. */
export interface MessageWindow {
  id: string;
  from: number;
  /** Messages of the conversation when the window was placed. */
  count: number;
}

/** The same object while nothing changes. */
export function nextWindow(window: MessageWindow | null, id: string, count: number): MessageWindow {
  if (window?.id === id && window.count === count) return window;
  const newest = Math.max(0, count - STEP);
  if (window?.id !== id) return { id, from: newest, count };
  // A branch may be shorter than the one before it.
  if (count < window.count) return { id, from: Math.min(window.from, newest), count };
  return { ...(count - window.from > MOST ? letGo(window, newest) : window), count };
}

/** Without some of the oldest messages, for somebody who came back to the newest. The same object when there are few. */
export function later(window: MessageWindow): MessageWindow {
  const newest = Math.max(0, window.count - STEP);
  return window.from < newest ? letGo(window, newest) : window;
}

function letGo(window: MessageWindow, newest: number): MessageWindow {
  return { ...window, from: Math.min(newest, window.from + LET_GO) };
}

export function earlier(window: MessageWindow): MessageWindow {
  return { ...window, from: Math.max(0, window.from - STEP) };
}
