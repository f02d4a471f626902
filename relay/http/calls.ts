import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Requests of one socket that may wait for each other. No browser and no common client sends the next before the answer
 * to the last; without a limit one socket could put thousands into a single packet.
 */
const MOST_PIPELINED = 8;

/** A request that is under way, from its headers to the last byte of its answer. */
export interface Running {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly abort: AbortController;
  /** What a stop waits for. Health and status are not: a watched status would hold it for ever. */
  isWork: boolean;
  /** Where it is counted, once that is known. */
  address: string | null;
}

/** The requests that are under way, in all, per socket and per address. */
export class Calls {
  readonly #running = new Set<Running>();
  readonly #bySocket = new WeakMap<Duplex, Set<Running>>();
  readonly #byAddress = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  /** Null when too many of this socket wait already. */
  begin(request: IncomingMessage, response: ServerResponse): Running | null {
    const siblings = this.#siblingsOf(request.socket);
    if (siblings.size >= MOST_PIPELINED) return null;
    const running: Running = {
      request,
      response,
      abort: new AbortController(),
      isWork: true,
      address: null,
    };
    siblings.add(running);
    this.#running.add(running);
    response.once('close', () => this.#end(running, siblings));
    return running;
  }

  /** Counts it for an address. @returns how many that address has under way, this one included */
  count(running: Running, address: string): number {
    const count = (this.#byAddress.get(address) ?? 0) + 1;
    // It may have ended while it waited for its turn.
    if (!this.#running.has(running)) return count;
    running.address = address;
    this.#byAddress.set(address, count);
    return count;
  }

  /** Requests whose end a stop waits for. */
  get work(): number {
    let count = 0;
    for (const { isWork } of this.#running) if (isWork) count++;
    return count;
  }

  get all(): number {
    return this.#running.size;
  }

  /** Called when one has ended. @returns how to stop that */
  onEnd(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  abortAll(reason: unknown): void {
    for (const { abort } of this.#running) abort.abort(reason);
  }

  /**
   * Whether a socket on which nothing moves is right to be still: its requests are here whole, and what was answered so
   * far is with the client. An answer may take minutes to be computed.
   */
  isThinking(socket: Duplex): boolean {
    const siblings = this.#bySocket.get(socket);
    if (!siblings?.size || socket.writableLength > 0) return false;
    return [...siblings].every(({ request, response }) => request.complete && response.writableLength === 0);
  }

  #siblingsOf(socket: Duplex): Set<Running> {
    const known = this.#bySocket.get(socket);
    if (known) return known;
    const siblings = new Set<Running>();
    this.#bySocket.set(socket, siblings);
    // Answers that wait for their turn on a socket hear nothing of its end from Node.
    socket.once('close', () => {
      for (const running of siblings) this.#end(running, siblings);
    });
    return siblings;
  }

  #end(running: Running, siblings: Set<Running>): void {
    if (!this.#running.delete(running)) return;
    siblings.delete(running);
    if (running.address !== null) this.#leave(running.address);
    if (!running.response.writableFinished)
      running.abort.abort(new DOMException('The client hung up.', 'AbortError'));
    for (const listener of [...this.#listeners]) listener();
  }

  #leave(address: string): void {
    const count = (this.#byAddress.get(address) ?? 0) - 1;
    if (count > 0) this.#byAddress.set(address, count);
    else this.#byAddress.delete(address);
  }
}
