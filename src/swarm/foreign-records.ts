import { checkedAddresses } from './addresses.ts';
import { ANSWER_FRESH_MS, MAX_ANSWERS } from './federation-limits.ts';
import type { Joint } from './joint.ts';
import { MAX_PROVIDERS_PER_ANSWER } from './limits.ts';
import type { Provider } from './provider-records.ts';
import type { Clock } from './types.ts';

/** A joined relay, as far as questions go. */
export interface Askable {
  peer: string;
  /** Where it is reached itself. */
  addresses: readonly string[];
  joints: Iterable<Joint>;
}

interface Answer {
  providers: Promise<readonly Provider[]>;
  /** By the clock; Infinity while it is under way. */
  fresh: number;
}

/** What joined relays answer, kept for a moment: a crowd that asks for one key costs one question. */
export class ForeignRecords {
  readonly #clock: Clock;
  readonly #self: string;
  readonly #relays: () => readonly Askable[];
  readonly #answers = new Map<string, Answer>();

  constructor(clock: Clock, self: string, relays: () => readonly Askable[]) {
    this.#clock = clock;
    this.#self = self;
    this.#relays = relays;
  }

  async get(key: string): Promise<readonly Provider[]> {
    const relays = this.#relays();
    if (relays.length === 0) return [];
    const known = this.#answers.get(key);
    if (known && known.fresh > this.#clock.now()) return known.providers;
    const answer: Answer = { providers: this.#ask(key, relays), fresh: Number.POSITIVE_INFINITY };
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    if (this.#answers.size > MAX_ANSWERS) this.#answers.delete(this.#answers.keys().next().value!);
    const providers = await answer.providers;
    answer.fresh = this.#clock.now() + ANSWER_FRESH_MS;
    return providers;
  }

  async #ask(key: string, relays: readonly Askable[]): Promise<readonly Provider[]> {
    const answers = await Promise.all(
      relays.map(async (relay) => {
        const joint = [...relay.joints].findLast(({ ready }) => ready);
        const told = (await joint?.ask(key)) ?? [];
        return told.flatMap((provider) => this.#checked(provider, relay));
      }),
    );
    // In turns, so that a relay with many providers does not crowd out the others.
    const found = new Map<string, Provider>();
    const longest = Math.max(0, ...answers.map(({ length }) => length));
    for (let turn = 0; turn < longest; turn++) {
      for (const answer of answers) {
        const provider = answer[turn];
        if (!provider || found.has(provider.peer)) continue;
        found.set(provider.peer, provider);
        if (found.size === MAX_PROVIDERS_PER_ANSWER) return [...found.values()];
      }
    }
    return [...found.values()];
  }

  /** Nobody tells us who we are, and who is nowhere is left out. */
  #checked({ peer, addrs }: Provider, relay: Askable): Provider[] {
    if (peer === this.#self) return [];
    const own = peer === relay.peer ? relay.addresses : [];
    const checked = checkedAddresses(peer, [...own, ...addrs]).map(String);
    return checked.length > 0 || peer === relay.peer ? [{ peer, addrs: checked }] : [];
  }
}

/** Own providers first: of these this relay knows itself that they live. */
export function together(own: readonly Provider[], others: readonly Provider[]): Provider[] {
  const found = new Map<string, Provider>();
  for (const provider of [...own, ...others]) {
    if (found.size === MAX_PROVIDERS_PER_ANSWER) break;
    if (!found.has(provider.peer)) found.set(provider.peer, provider);
  }
  return [...found.values()];
}
