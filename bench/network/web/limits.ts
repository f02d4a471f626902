export const AGENT = 'shoal-bench/0';
/** Tokens of one session: the longest prompt of the bench and its steps. */
export const MAX_TOKENS = 640;
/** Bytes that weights and caches of one host may take: a third of the default model and eight sessions fit twice. */
export const HOST_MEMORY = 1024 * 1024 * 1024;
