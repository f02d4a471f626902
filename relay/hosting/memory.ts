/** Lending more than this by default would surprise whoever only wanted to serve a page. Bytes. */
const MOST = 4e9;

/**
 * Bytes that lending may take when nobody said how much: half of what is free in this container or machine, at most
 * 4 GB.
 */
export function defaultMemory(): number {
  // Knows the limits of a container, unlike os.freemem().
  return Math.min(MOST, Math.floor(process.availableMemory() / 2));
}
