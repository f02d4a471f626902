import type { LayerRange, PeerAddress } from '../wire/index.ts';

export type { LayerRange, PeerAddress };

/** How the bytes of a link travel. `local` is this very peer. */
export type LinkPath = 'direct' | 'relayed' | 'websocket' | 'tcp' | 'local' | 'none';

export interface Link {
  peer: string;
  path: LinkPath;
  /** Milliseconds there and back, measured last; null before. */
  roundTripMs: number | null;
  bytesIn: number;
  bytesOut: number;
}

export interface TransportListener {
  /** One whole frame, in the order in which that peer sent it. The bytes are the listener's to keep. */
  frame(from: string, bytes: Uint8Array): void;
  /** The peer cannot be reached any more: closed, crashed, frozen or said goodbye. Told once per loss. */
  gone(peer: string, reason: string): void;
}

/** Frames between peers: all that `chain/` and `host/` know of the network. */
export interface Transport {
  /** Own peer id. Frames sent to it come back by the same listeners, in a later task. */
  readonly self: string;
  /** 64 hexadecimal characters of the own public key, for `hello`. */
  readonly publicKey: string;
  /** Where others reach this peer now. */
  addresses(): string[];
  /**
   * Sends one frame over the one long stream to that peer, dialling it when there is no link. Resolves when the link
   * took it: a slow reader holds the sender here. Frames to one peer keep their order.
   * @throws TransportError `unreachable`, `gone`, `aborted`, `too-large`
   */
  send(to: PeerAddress, frame: Uint8Array, options?: { signal?: AbortSignal }): Promise<void>;
  /** @returns a function that ends the subscription */
  listen(listener: TransportListener): () => void;
  /** The link to a peer, null when there is none. */
  link(peer: string): Link | null;
  links(): Link[];
  /** Closes the link to a peer that broke the rules and refuses it for a while. */
  cutOff(peer: string, reason: string): void;
}

/** The DHT, as far as slices go. */
export interface Directory {
  /** Publishes that this peer holds `[start, end)`: the exact range, each grid cell that it touches, and the model. */
  announce(slice: Holding): Promise<void>;
  withdraw(slice: Holding): Promise<void>;
  /**
   * Peers that may hold layers of the range: the exact range and the grid cells that it touches are asked for in
   * parallel. Each peer comes once; a provider that is gone or expired does not come. Empty when nobody is found.
   */
  holders(
    model: { cid: string; layers: number },
    range: LayerRange,
    options?: { signal?: AbortSignal },
  ): Promise<PeerAddress[]>;
}

export interface Holding extends LayerRange {
  cid: string;
  /** Layers of the whole model: the grid depends on it. */
  layers: number;
}

/** Time, passed in so that the simulator can have its own. */
export interface Clock {
  /** Milliseconds from any fixed start. */
  now(): number;
  /** @returns a function that cancels it */
  after(ms: number, run: () => void): () => void;
}

export type TransportErrorCode =
  | 'unreachable'
  | 'gone'
  | 'aborted'
  | 'too-large'
  | 'closed'
  | 'no-relay'
  | 'bad-identity'
  | 'data-in-use'
  | 'listen-failed';

/** The one error class of `swarm/`. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  constructor(
    readonly code: TransportErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
