import type { ChatMessage } from './messages.ts';

/** A chain that is kept open after an answer, with the conversation that its caches hold. */
export interface Line {
  cid: string;
  privacy: string;
  /** Most tokens that its session holds. */
  capacity: number;
  /** The conversation, its last answer included. */
  messages: readonly ChatMessage[];
  /** When it was used last, milliseconds. */
  usedAt: number;
}

/** What the next turn needs. */
export interface Need extends Pick<Line, 'cid' | 'privacy' | 'capacity' | 'messages'> {}

/**
 * The line whose caches hold the beginning of this conversation, null when there is none: the same conversation one
 * turn on, or its last question asked again.
 */
export function lineFor<T extends Line>(lines: readonly T[], need: Need): T | null {
  let best: T | null = null;
  let most = 0;
  for (const line of lines) {
    if (line.cid !== need.cid || line.privacy !== need.privacy || line.capacity < need.capacity) continue;
    const common = commonMessages(line.messages, need.messages);
    // The last question and its answer may have been taken back.
    if (common <= most || common < line.messages.length - 2) continue;
    best = line;
    most = common;
  }
  return best;
}

/** Tokens to open a session for: what this turn needs, with room for some turns more, but a host's memory is not held
 * for a whole context that most conversations never fill. */
export function capacityFor(prompt: number, answer: number | undefined, most: number): number {
  if (answer === undefined) return most;
  let capacity = LEAST_CAPACITY;
  while (capacity < prompt + answer && capacity < most) capacity *= 2;
  return Math.min(capacity, most);
}

const LEAST_CAPACITY = 512;

function commonMessages(a: readonly ChatMessage[], b: readonly ChatMessage[]): number {
  let common = 0;
  while (
    common < a.length &&
    common < b.length &&
    a[common]!.role === b[common]!.role &&
    a[common]!.content === b[common]!.content
  ) {
    common++;
  }
  return common;
}
