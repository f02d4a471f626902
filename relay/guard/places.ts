/** Sockets kept back for addresses that have few, so that whoever looks at /status gets in during a flood. */
const RESERVE = 32;
/** What counts as few: a browser opens up to six, `curl` one. */
const FEW = 4;

export type NoPlace = 'connections' | 'connections-per-address';

/** The sockets that are open, in all and per address. */
export class Places {
  readonly #most: number;
  readonly #mostPerAddress: number;
  readonly #reserve: number;
  readonly #byAddress = new Map<string, number>();
  #open = 0;

  constructor(most: number, mostPerAddress: number) {
    this.#most = most;
    this.#mostPerAddress = mostPerAddress;
    // With a small limit the reserve must not be most of it.
    this.#reserve = Math.min(RESERVE, Math.floor(most / 4));
  }

  /**
   * Takes a place, to be given back with `leave`. A trusted proxy has the sockets of many clients, and no limit of its
   * own.
   * @returns null, or why there is none
   */
  enter(address: string, trusted: boolean): NoPlace | null {
    const own = this.#byAddress.get(address) ?? 0;
    if (!trusted && own >= this.#mostPerAddress) return 'connections-per-address';
    if (this.#open >= this.#most - (own < FEW ? 0 : this.#reserve)) return 'connections';
    this.#open++;
    this.#byAddress.set(address, own + 1);
    return null;
  }

  leave(address: string): void {
    const own = this.#byAddress.get(address) ?? 0;
    if (own === 0) return;
    this.#open--;
    if (own === 1) this.#byAddress.delete(address);
    else this.#byAddress.set(address, own - 1);
  }

  get open(): number {
    return this.#open;
  }
}
