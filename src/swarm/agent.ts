/**
 * Program and version, as peers tell each other. libp2p would add the whole user agent of the browser, which nobody
 * needs to know.
 */
export const AGENT = 'shoal/0.1.0';
