/** Caps on what one message may hold. A peer that needs more is not an honest one. */

/** Positions of one session: far above any context a browser can hold. */
export const MAX_POSITION = 2 ** 24;
/** Positions of one frame, and values of one position: with both, a length is always a safe integer. */
export const MAX_FRAME_POSITIONS = 65_536;
export const MAX_WIDTH = 65_536;
/** Epochs and generations: at one per millisecond, seven weeks. */
export const MAX_COUNT = 2 ** 32 - 1;
export const MAX_OFFERS = 64;
/** Links that one peer tells of. */
export const MAX_LINKS = 64;
/** Parts of one offer that are loaded at once. */
export const MAX_LOADED = 64;
/** Hops of a chain that report their time. */
export const MAX_HOPS = 64;
export const MAX_ADDRESSES = 16;
/** Relayed WebRTC addresses are the longest in use, with about 250 characters. */
export const MAX_ADDRESS_CHARS = 512;
export const MAX_QUANTS = 32;
/** Candidates of one token; the field is IntelNav's, and no program sends it yet. */
export const MAX_TOP_K = 1024;
/** Alternatives of one token whose probabilities a client may ask for: OpenAI's limit. */
export const MAX_LOGPROBS = 20;
/** Token ids that a repetition window may look back on. */
export const MAX_HISTORY_TOKENS = 65_536;
/** A reason is cut to this when it is sent; four times as much is taken. */
export const MAX_REASON_CHARS = 1024;
