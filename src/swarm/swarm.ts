import type { Clock, Directory, Transport } from './types.ts';

/** `gone`: it was reached before, or a dial failed; it is dialled again and again. */
export type RelayState = 'connected' | 'connecting' | 'gone';

export interface RelayStatus {
  /** Multiaddr; empty until it is known. */
  address: string;
  peer: string;
  state: RelayState;
}

export interface SwarmStatus {
  /** The best state of any relay; `connected` for a relay itself. */
  relay: RelayState;
  relays: RelayStatus[];
  /** Where others reach this peer now. */
  addresses: string[];
}

/** This peer in the network. */
export interface Swarm {
  readonly transport: Transport;
  readonly directory: Directory;
  readonly clock: Clock;
  /** Own peer id. */
  readonly peer: string;
  /** Resolves when others can reach this peer for the first time; rejects with TransportError `closed` when it is closed before. */
  readonly ready: Promise<void>;
  status(): SwarmStatus;
  /** @returns a function that ends the subscription */
  subscribe(listener: (status: SwarmStatus) => void): () => void;
  /** Says goodbye to every linked peer and stops. Never rejects; may be called twice. */
  close(reason: string): Promise<void>;
}

/** Where a relay's address comes from: a multiaddr, or something that asks for it anew at each dial. */
export type RelaySource = string | ((signal: AbortSignal) => Promise<string>);

export interface RecordTimes {
  /** Milliseconds that a record lives; default 30 minutes. */
  validityMs?: number;
  /** Milliseconds between publications; default 5 minutes. */
  reprovideMs?: number;
}
