/** Every number of the swarm, with its reason. Times in milliseconds, sizes in bytes. */

/** Frames of a session: `u32-BE length, body`, one long stream per direction. */
export const FRAME_PROTOCOL = '/shoal/1.0.0';
/** Five-byte messages beside the frames: alive?, alive!, goodbye. */
export const PULSE_PROTOCOL = '/shoal/pulse/1.0.0';
/** Own name, so that nodes of other networks do not fill our routing tables. */
export const KAD_PROTOCOL = '/shoal/kad/1.0.0';

/** Bytes of the length before each frame: u32, big-endian. */
export const LENGTH_BYTES = 4;

/** How often a linked peer is asked whether it is alive. */
export const PULSE_INTERVAL_MS = 2_000;
/** A peer of which nothing came for this long after it was asked is gone: with the interval, a frozen tab is noticed in 1.5 to 3.5 s. */
export const PULSE_DEADLINE_MS = 1_500;
/**
 * The relayed circuit of a peer closed: it is most likely gone (a closed tab's circuit closes in 20–60 ms), but the
 * relay may have died instead. It has this long to answer over the direct connection.
 */
export const SUSPECT_DEADLINE_MS = 700;
/** A timer that fires this late tells of an own stall: the peer gets another chance. */
export const STALL_MS = 300;

/**
 * libp2p's own watch over connections. Its ping waits behind data as ours does, and it ends the connection: a relay's
 * must survive a large prompt on a slow link.
 */
export const MONITOR = { pingInterval: 5_000, pingTimeout: { minTimeout: 10_000, maxTimeout: 20_000 } };
/**
 * Streams of libp2p's ping on one connection, each way; the default is 1 out and 2 in. The DHT pings a new server once,
 * and when the answer's end and our own closing cross, @libp2p/utils 7.4.1 never lets go of that stream: the watch above
 * then found no place for its ping and ended a healthy connection after five seconds, one join in two.
 */
export const PING_STREAMS = { maxInboundStreams: 16, maxOutboundStreams: 16 };
/**
 * On a WebSocket a question waits behind every byte that was sent before it, here and in the kernels. The slowest link
 * on which a peer is not taken for dead while it still gets data, in bytes per millisecond: 4 Mbit/s.
 */
export const SLOWEST_LINK = 512;
/** Bytes that may wait in a WebSocket: enough to fill a fast link, and few enough not to hold up what comes after. */
export const SOCKET_BUFFER_BYTES = 1024 * 1024;

/** A tab-to-tab dial takes 110–730 ms; ICE alone would take 15 s to give up. After this the relayed path is taken. */
export const DIRECT_DIAL_MS = 5_000;
/** Any other dial, and the opening of a stream, which is one or two round trips. */
export const DIAL_MS = 5_000;
export const OPEN_STREAM_MS = 3_000;

/** Peers linked at once in a tab: a chain has at most a few dozen hops, a host 64 sessions. */
export const MAX_LINKS = 256;
/** The relay is also a hop for everybody. */
export const MAX_RELAY_LINKS = 2_048;
/** Bytes that wait for one slow peer; above it a frame is refused. Four of the largest frames. */
export const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
/** Bytes held for frames that are not whole yet, of all peers together; who goes above it is cut off. */
export const MAX_UNFINISHED_BYTES = 256 * 1024 * 1024;
/** 64 sessions at 50 tokens/s come to 3,200 frames/s from one hop; a peer that floods is cut off. */
export const MAX_FRAMES_PER_SECOND = 8_000;
/** What may come at once, after a stall of this tab or with a batch. */
export const FRAME_BURST = 16_000;
/** A cut-off peer is refused for this long. */
export const REFUSE_MS = 60_000;
/** Peers remembered as refused; the oldest is forgotten first. */
export const MAX_REFUSED = 1_024;

/** Addresses looked at per peer: one per relay and transport is usual. */
export const MAX_ADDRESSES = 8;
/** Characters of one address; a circuit address with two peer ids has about 190. */
export const MAX_ADDRESS_LENGTH = 512;

/** A DHT question as a whole. */
export const FIND_MS = 5_000;
/** IntelNav's numbers: a record lives 30 minutes and is published anew every 5. */
export const RECORD_VALIDITY_MS = 1_800_000;
export const RECORD_REPROVIDE_MS = 300_000;
/** Records of one peer: a slice has about ten keys, and a peer lends a handful of slices. */
export const MAX_RECORDS_PER_PEER = 256;
/** Records at a relay in all, at about 300 bytes. */
export const MAX_RECORDS = 200_000;
/** Providers in one answer: a planner keeps three candidates per hop and probes what it is given. */
export const MAX_PROVIDERS_PER_ANSWER = 64;

/** Redial of a relay: first wait, growing by half each time up to the longest, ± a fifth so that tabs do not come at once. */
export const REDIAL_FIRST_MS = 250;
/** Re-reservation is promised within 10 s of the relay's return. */
export const REDIAL_LONGEST_MS = 4_000;
/** A reservation follows a dial in 59 ms; a relay that gives none in this long is dialled anew. */
export const RESERVE_MS = 5_000;

/** SCTP messages between tabs: 16,377 bytes by default; 256 KiB is what Chromium and Firefox accept, and is 40 % faster. */
export const DATA_CHANNEL_MESSAGE_BYTES = 262_144;
