import type { Keep } from '../keep.ts';

const KEY = 'shoal.conversation';

/**
 * Which conversation was open last: in this tab, else in any tab of this browser. '' is a chat that was not kept, null
 * a browser that never had one open.
 */
export class LastOpen {
  constructor(
    private readonly keep: Keep,
    private readonly tab: Pick<Storage, 'getItem' | 'setItem'> | null = sessionStore(),
  ) {}

  get(): string | null {
    return this.tab?.getItem(KEY) ?? this.keep.getItem(KEY);
  }

  set(id: string): void {
    if (this.get() === id) return;
    try {
      this.tab?.setItem(KEY, id);
      this.keep.setItem(KEY, id);
    } catch {
      // No room for a line: the next load opens the newest conversation.
    }
  }
}

function sessionStore(): Pick<Storage, 'getItem' | 'setItem'> | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    // The browser forbids the page all storage.
    return null;
  }
}
