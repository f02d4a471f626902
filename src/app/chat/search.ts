import type { ChatHistory, ConversationHeader } from '../../chat/web.ts';
import type { SearchHit } from './types.ts';

/** Messages read at once: a batch is searched well within a frame. */
const BATCH = 200;
const MOST_HITS = 200;
/** Characters around a match. */
const BEFORE = 32;
const AFTER = 96;
/** Longer texts are searched for by nobody. */
const LONGEST_NEEDLE = 256;

/**
 * Searches titles, then messages, of all conversations, one hit for each. Capital letters and accents do not matter.
 * @param headers in the order that the hits are wanted in
 * @param found called with all hits so far when there are more
 * @param pause lets the page draw and hear its user
 * @returns all hits, at most 200
 * @throws the reason of `signal`, and ChatError `history`
 */
export async function searchHistory(
  history: Pick<ChatHistory, 'batch'>,
  headers: readonly ConversationHeader[],
  text: string,
  signal: AbortSignal,
  found: (hits: readonly SearchHit[]) => void,
  pause: () => Promise<void>,
): Promise<readonly SearchHit[]> {
  const needle = fold(text.trim().slice(0, LONGEST_NEEDLE));
  if (needle === '') return [];
  const inTitles = headers.flatMap(({ id, title }) => hitIn(id, title, needle) ?? []);
  const byTitle = new Set(inTitles.map(({ id }) => id));
  let hits: readonly SearchHit[] = inTitles.slice(0, MOST_HITS);
  if (hits.length > 0) found(hits);
  for (const { id } of headers) {
    if (hits.length >= MOST_HITS) break;
    if (byTitle.has(id)) continue;
    const hit = await firstIn(history, id, needle, signal, pause);
    if (!hit) continue;
    hits = [...hits, hit];
    found(hits);
  }
  return hits;
}

async function firstIn(
  history: Pick<ChatHistory, 'batch'>,
  id: string,
  needle: string,
  signal: AbortSignal,
  pause: () => Promise<void>,
): Promise<SearchHit | null> {
  let after: string | null = null;
  for (;;) {
    signal.throwIfAborted();
    const messages = await history.batch(id, after, BATCH);
    for (const { content } of messages) {
      const hit = hitIn(id, content, needle);
      if (hit) return hit;
    }
    await pause();
    signal.throwIfAborted();
    if (messages.length < BATCH) return null;
    after = messages.at(-1)!.id;
  }
}

function hitIn(id: string, text: string, needle: string): SearchHit | null {
  const at = fold(text).indexOf(needle);
  if (at < 0) return null;
  const [from, to] = unfolded(text, at, at + needle.length);
  return { id, ...excerptOf(text, from, to) };
}

/** Text in one line around a match, cut between characters. */
export function excerptOf(text: string, from: number, to: number): Omit<SearchHit, 'id'> {
  const start = from <= BEFORE ? 0 : wholeFrom(text, from - BEFORE);
  const end = wholeFrom(text, Math.min(text.length, to + AFTER));
  const line = (part: string) => part.replace(/\s/g, ' ');
  const before = `${start > 0 ? '…' : ''}${line(text.slice(start, from))}`;
  const match = line(text.slice(from, to));
  const after = `${line(text.slice(to, end))}${end < text.length ? '…' : ''}`;
  return { excerpt: before + match + after, from: before.length, to: before.length + match.length };
}

/** Small letters without accents; a final sigma is a sigma. */
export function fold(text: string): string {
  // Most text.
  if (/^[\0-\x7f]*$/.test(text)) return text.toLowerCase();
  return text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').replaceAll('ς', 'σ');
}

/** Where a range of the folded text is in the text itself. */
function unfolded(text: string, from: number, to: number): [number, number] {
  let folded = 0;
  let at = 0;
  let start = 0;
  for (const character of text) {
    const { length } = fold(character);
    if (folded <= from) start = at;
    // The accents of the last character belong to it.
    if (folded >= to && length > 0) break;
    folded += length;
    at += character.length;
  }
  return [start, at];
}

/** A place between characters, not inside of one of two units. */
function wholeFrom(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
}
