import type { Sharing } from '../../sdk/early.ts';
import type { Helped } from './types.ts';

export const NO_HELP: Helped = {
  tokens: 0,
  positions: 0,
  conversations: 0,
  peers: 0,
  computeMs: 0,
  lentMs: 0,
  bytesIn: 0,
  bytesOut: 0,
};

const NAMES = Object.keys(NO_HELP) as (keyof Helped)[];
/** No device does more: what is above it was not counted but written by somebody. */
const MOST = Number.MAX_SAFE_INTEGER / 1024;

/** What a host counts since this page joined the network. */
export function helpedSoFar({ counters }: Pick<Sharing, 'counters'>): Helped {
  return {
    tokens: counters.tokensServed,
    positions: counters.positionsServed,
    conversations: counters.sessionsServed,
    peers: counters.peersHelped,
    computeMs: counters.servedMs,
    lentMs: counters.lentMs,
    bytesIn: counters.servedBytesIn,
    bytesOut: counters.servedBytesOut,
  };
}

export function plus(a: Helped, b: Helped): Helped {
  return each((name) => Math.min(MOST, a[name] + b[name]));
}

/** What came since: counters only rise, so one that is smaller is of a share that has only begun to be shown. */
export function moreThan(before: Helped, now: Helped): Helped {
  return each((name) => Math.max(0, now[name] - before[name]));
}

export function atLeast(a: Helped, b: Helped): Helped {
  return each((name) => Math.max(a[name], b[name]));
}

export function isNothing(helped: Helped): boolean {
  return NAMES.every((name) => helped[name] === 0);
}

/** From storage, which anybody may have written: what is no count is none. */
export function readHelped(given: unknown): Helped {
  return each((name) => {
    const value: unknown = typeof given === 'object' && given !== null ? Reflect.get(given, name) : 0;
    return typeof value === 'number' && value >= 0 && value <= MOST ? value : 0;
  });
}

function each(of: (name: keyof Helped) => number): Helped {
  return Object.fromEntries(NAMES.map((name) => [name, of(name)])) as unknown as Helped;
}
