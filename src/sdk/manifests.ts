import type { Manifest } from '../model/index.ts';
import { type RelayModel, relayManifest } from './catalogue.ts';
import type { Platform } from './platform.ts';
import { abortable } from './queue.ts';

/** Manifests held: of the model that loads, and of those that a list shows. Each has up to some hundred kilobytes. */
const MOST_HELD = 32;

/** Manifests of the relay's models, each fetched once. */
export class Manifests {
  readonly #held = new Map<string, Promise<Manifest>>();

  constructor(
    private readonly platform: Platform,
    private readonly relay: URL,
  ) {}

  /** @throws ModelError as `relayManifest`; ShoalError `aborted`, and the fetch goes on for whoever asks next */
  get(model: RelayModel, signal?: AbortSignal): Promise<Manifest> {
    let held = this.#held.get(model.cid);
    if (!held) {
      held = relayManifest(this.platform, this.relay, model).then(({ manifest }) => manifest);
      this.#held.set(model.cid, held);
      // A failure is told to whoever waits, and the next one tries again.
      held.catch(() => this.#held.delete(model.cid));
      const oldest = this.#held.keys().next();
      if (this.#held.size > MOST_HELD && !oldest.done) this.#held.delete(oldest.value);
    }
    return abortable(held, signal);
  }
}
