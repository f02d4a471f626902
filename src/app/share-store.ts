import { type Shoal, toShoalError } from '../sdk/index.ts';

const KEY = 'shoal.sharing';

/** What is shared again after a reload. */
interface Kept {
  model: string;
  layers: [start: number, end: number];
}

/** The share switch: on survives a reload, with the same layers, whose tensors are here already. */
export class ShareStore {
  constructor(
    private readonly shoal: Shoal,
    private readonly keep: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
  ) {}

  /** What goes wrong is shown by `membership`. */
  async on(): Promise<void> {
    try {
      await this.#share();
    } catch (error) {
      if (toShoalError(error).code === 'aborted') this.keep.removeItem(KEY);
    }
  }

  async off({ force }: { force: boolean }): Promise<void> {
    this.keep.removeItem(KEY);
    // A drain that fails leaves nothing shared either.
    await this.shoal.unshare({ force }).catch(() => {});
  }

  /** After a reload: on when it was on. */
  async resume(): Promise<void> {
    const kept = parse(this.keep.getItem(KEY));
    if (!kept) return;
    try {
      await this.#share(kept);
    } catch (error) {
      // The relay has another model now.
      if (toShoalError(error).code === 'no-model') await this.on();
    }
  }

  async #share(kept?: Kept): Promise<void> {
    const { cid, start, end } = await this.shoal.share(kept);
    const now: Kept = { model: cid, layers: [start, end] };
    try {
      this.keep.setItem(KEY, JSON.stringify(now));
    } catch {
      // The browser's small storage is full: after a reload the switch is off.
    }
  }
}

/** Anything odd counts as off. */
function parse(text: string | null): Kept | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    if (typeof value !== 'object' || value === null) return null;
    const model: unknown = Reflect.get(value, 'model');
    const layers: unknown = Reflect.get(value, 'layers');
    if (typeof model !== 'string' || !Array.isArray(layers)) return null;
    const [start, end]: unknown[] = layers;
    return typeof start === 'number' && typeof end === 'number' ? { model, layers: [start, end] } : null;
  } catch {
    return null;
  }
}
