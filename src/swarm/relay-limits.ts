/** What one relay takes. A client costs 150 KB of memory and 23–32 ms of its processor to join. */
export interface RelayLimits {
  /** Connections, and so reservations, in all: 2,000 clients take 300 MB. */
  connections: number;
  /** From one address: a school behind one router. Loopback is excepted on the HTTP port, where a proxy may be. */
  connectionsPerAddress: number;
  /** New ones per second from one address. libp2p's default of 5 is too few for a page that is reloaded in a class. */
  connectionsPerSecond: number;
  /** Connections that are still being encrypted: sockets and webrtc-direct each have so many. The default is 10. */
  pending: number;
  /** Of those from one address, so that one flood leaves room for the others. */
  pendingPerAddress: number;
  /**
   * Bytes and milliseconds of one relayed connection. There must be limits, however large: without any, a dial by peer
   * id is content with the relayed connection and never makes a direct one. The defaults (128 KiB, 2 minutes) end a
   * fallback link in the middle of a prompt.
   */
  relayedBytes: bigint;
  relayedMs: number;
}

export const RELAY_LIMITS: RelayLimits = {
  connections: 2_000,
  connectionsPerAddress: 256,
  connectionsPerSecond: 50,
  pending: 200,
  pendingPerAddress: 32,
  relayedBytes: 1n << 30n,
  relayedMs: 12 * 3_600_000,
};

/** Why a connection was not taken. */
export type RefusalReason =
  | 'connections'
  | 'connections-per-address'
  | 'connections-per-second'
  | 'pending'
  | 'pending-per-address';

/** Addresses without a connection whose pace is remembered; the oldest is forgotten first. About 100 bytes each. */
export const MAX_IDLE_ADDRESSES = 10_000;
/** A stop may take so long, whatever hangs. Milliseconds. */
export const CLOSE_MS = 5_000;
/** Of that, for libp2p to end its connections; the rest is for the disk. */
export const STOP_NODE_MS = 3_500;
/** Records read from the disk are dropped when their peer has not come back by then: a tab redials within 4 s. */
export const COME_BACK_MS = 30_000;
/** Changes of records are gathered for so long before they are written. */
export const WRITE_BEHIND_MS = 500;
/** Changes that may wait for a slow disk, at about 200 bytes; one more is not written. */
export const MAX_UNWRITTEN = 50_000;
/** Changes in one batch for the disk. */
export const WRITE_BATCH = 2_000;
