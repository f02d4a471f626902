/** Every number of relays that joined each other, with its reason. Times in milliseconds, sizes in bytes. */

/** Questions and answers between two relays: one long stream. */
export const JOIN_PROTOCOL = '/shoal/relay/1.0.0';
/** A peer asks its relay which relays this one joined: one answer, and the stream is closed. */
export const NAMED_PROTOCOL = '/shoal/relays/1.0.0';

/** Relays joined at once, whoever dialled: each question of a peer goes to all of them. */
export const MAX_JOINED = 16;
/** Streams with one relay: both sides may have been told to join the other. */
export const MAX_JOINTS = 2;

/** A joined relay answers from memory, one round trip away; a peer's own search ends after 5 s. */
export const ASK_MS = 1_000;
/** A relay that missed a deadline is left out this long, then twice as long, up to the longest. */
export const QUIET_FIRST_MS = 1_000;
export const QUIET_LONGEST_MS = 8_000;
/** Answers are used again for so long: a crowd asks for the same keys, and a host that left is gone within a second. */
export const ANSWER_FRESH_MS = 400;
/** Keys whose answers are kept; the oldest goes first. Few hundred keys are asked for in one model's network. */
export const MAX_ANSWERS = 2_048;

/** Questions on their way to one relay. */
export const MAX_ASKED = 256;
/** Questions to one relay, by who asks; who is asked takes twice that, because clocks and networks bunch them up. */
export const ASKS_PER_SECOND = 500;
export const ASK_BURST = 1_000;

/** 64 providers of a few addresses come to 40 KB; what does not fit is left out by who answers. */
export const MAX_JOIN_MESSAGE_BYTES = 128 * 1024;
/** Any message but an answer: eight addresses of at most 512 characters. */
export const MAX_SMALL_MESSAGE_BYTES = 8 * 1024;

/** What /network.json of a relay may have. */
export const MAX_DESCRIPTION_BYTES = 64 * 1024;
/** 16 relays of eight addresses each, of at most 512 characters. */
export const MAX_NAMED_BYTES = 80 * 1024;
/** A peer asks for the names anew at most this often, and only when somebody names a relay that it does not know. */
export const NAMED_FRESH_MS = 2_000;
/** One round trip on a connection that is there. */
export const ASK_NAMED_MS = 2_000;
/** Inbound streams of that protocol from one peer. */
export const MAX_NAMED_STREAMS = 4;
