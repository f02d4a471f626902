import { Cell, type Observable, randomId } from '../../sdk/early.ts';
import type { Keep } from '../keep.ts';
import { MOST_BYTES, MOST_FILES, type Refusal, readTextFiles } from './text-files.ts';
import type { Attachment } from './types.ts';

const TEXT = 'shoal.draft';
const ATTACHMENTS = 'shoal.draft.attachments';
const EDIT = 'shoal.draft.edit';

export interface DraftAttachment extends Attachment {
  id: string;
  /** It was pasted, and can go into the box instead. */
  pasted: boolean;
}

export interface DraftState {
  attachments: readonly DraftAttachment[];
  refused: readonly { name: string; why: Refusal }[];
  /** The attachments live as long as the page only: the browser's small storage is full. */
  fleeting: boolean;
}

/** A question that is being changed in its place. */
export interface EditDraft {
  message: string;
  text: string;
}

/**
 * What is written and not sent yet. It survives a reload. The text in the box belongs to the composer, which tells each
 * change; attachments are here.
 */
export class Draft implements Observable<DraftState> {
  readonly #cell: Cell<DraftState>;

  constructor(private readonly keep: Keep) {
    this.#cell = new Cell<DraftState>({ attachments: readAttachments(keep), refused: [], fleeting: false });
  }

  get = (): DraftState => this.#cell.get();
  subscribe = (listener: (value: DraftState) => void): (() => void) => this.#cell.subscribe(listener);

  keptText(): string {
    return this.keep.getItem(TEXT) ?? '';
  }

  keepText(text: string): void {
    this.#keepItem(TEXT, text || null);
  }

  /** The edit that was under way when the page was left, null when there was none. */
  keptEdit(): EditDraft | null {
    try {
      const { message, text } = JSON.parse(this.keep.getItem(EDIT) ?? 'null') ?? {};
      return typeof message === 'string' && typeof text === 'string' ? { message, text } : null;
    } catch {
      // Not written by us.
      return null;
    }
  }

  keepEdit(edit: EditDraft | null): void {
    this.#keepItem(EDIT, edit && JSON.stringify(edit));
  }

  /** Takes text files; what cannot be taken is told in `refused`. */
  async addFiles(files: readonly File[]): Promise<void> {
    if (files.length === 0) return;
    const { attachments, refused } = await readTextFiles(files, MOST_FILES - this.get().attachments.length);
    this.#cell.update({ refused });
    this.add(attachments, false);
  }

  /** More than a question takes are told in `refused`. */
  add(given: readonly Attachment[], pasted: boolean): void {
    const room = MOST_FILES - this.get().attachments.length;
    const fits = given.slice(0, room).map(({ name, text }) => ({ id: randomId(), name, text, pasted }));
    const rest = given.slice(room).map(({ name }) => ({ name, why: 'too-many' as const }));
    if (rest.length > 0) this.#cell.update({ refused: [...this.get().refused, ...rest] });
    this.#show([...this.get().attachments, ...fits]);
  }

  remove(id: string): void {
    this.#show(this.get().attachments.filter((one) => one.id !== id));
  }

  dismiss(): void {
    this.#cell.update({ refused: [] });
  }

  /** Gives the attachments away, for they are being sent. */
  take(): Attachment[] {
    const taken = this.get().attachments.map(({ name, text }) => ({ name, text }));
    this.#show([]);
    this.dismiss();
    return taken;
  }

  #show(attachments: readonly DraftAttachment[]): void {
    const kept = this.#keepItem(ATTACHMENTS, attachments.length > 0 ? JSON.stringify(attachments) : null);
    this.#cell.update({ attachments, fleeting: !kept });
  }

  /** @returns whether it is kept: a full small storage is no reason to lose what is on the page */
  #keepItem(name: string, value: string | null): boolean {
    try {
      if (value === null) this.keep.removeItem(name);
      else this.keep.setItem(name, value);
      return true;
    } catch {
      // An older value must not come back in the place of this one.
      this.keep.removeItem(name);
      return false;
    }
  }
}

function readAttachments(keep: Keep): DraftAttachment[] {
  let given: unknown;
  try {
    given = JSON.parse(keep.getItem(ATTACHMENTS) ?? '[]');
  } catch {
    // Not written by us.
    return [];
  }
  if (!Array.isArray(given)) return [];
  return given.slice(0, MOST_FILES).flatMap((one) => {
    const { name, text, pasted } = (one ?? {}) as Partial<DraftAttachment>;
    if (typeof name !== 'string' || typeof text !== 'string') return [];
    // A paste may be longer than a file may be, in bytes; in characters nothing of ours is.
    if (!pasted && text.length > MOST_BYTES) return [];
    return [{ id: randomId(), name, text, pasted: pasted === true }];
  });
}
