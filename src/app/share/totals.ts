import { Cell, type Sharing } from '../../sdk/early.ts';
import type { Keep } from '../keep.ts';
import { atLeast, helpedSoFar, isNothing, moreThan, NO_HELP, plus, readHelped } from './helped.ts';
import type { Helped } from './types.ts';

/** Tabs of one browser that count at the same time; each has a place of its own, so that none overwrites another. */
const PLACES = 8;
/** Milliseconds lent that one look may add: a device that slept meanwhile lent nothing. */
const LONGEST_LOOK_MS = 120_000;

const keyOf = (place: number) => `shoal.helped.${place}`;

/** Takes a name for as long as the page lives. @returns false when another tab has it */
export type Claim = (name: string) => Promise<boolean>;

/** What is kept in one place: a few numbers, however long it goes on. */
interface Kept {
  since: number;
  /** The day of `today`, as `2026-12-01` by the device's own clock. */
  day: string;
  today: Helped;
  all: Helped;
}

export interface TotalsState {
  today: Helped;
  all: Helped;
  /** Milliseconds since 1970. */
  since: number;
}

/**
 * What this device did for others, over reloads and tabs. Every tab adds the differences of its own counters to a place
 * that is its alone, and all places together are shown: nothing is counted twice or lost.
 */
export class Totals {
  readonly state: Cell<TotalsState>;
  /** Null until a place is claimed; what is counted meanwhile waits. */
  #place: number | null = null;
  readonly #began: number;
  #seen = NO_HELP;
  #waiting = NO_HELP;

  /** @param date local time */
  constructor(
    private readonly keep: Keep,
    private readonly date: () => Date,
    claim: Claim,
  ) {
    this.#began = date().getTime();
    this.state = new Cell(this.#together());
    void this.#claim(claim);
  }

  /** Adds what a host did since it was asked last; `flush` keeps it. */
  count(sharing: Pick<Sharing, 'counters'>): void {
    const now = helpedSoFar(sharing);
    const more = moreThan(this.#seen, now);
    this.#seen = atLeast(this.#seen, now);
    if (isNothing(more)) return;
    const counted = { ...more, lentMs: Math.min(more.lentMs, LONGEST_LOOK_MS) };
    this.#waiting = plus(this.#waiting, counted);
    this.show();
  }

  /** After midnight, and when another tab has written. */
  show(): void {
    const next = this.#together();
    if (JSON.stringify(next) !== JSON.stringify(this.state.get())) this.state.update(next);
  }

  async #claim(claim: Claim): Promise<void> {
    for (let place = 0; place < PLACES && this.#place === null; place++) {
      if (await claim(keyOf(place))) this.#place = place;
    }
    // More tabs than places: the last one is shared, and at worst a count is lost.
    this.#place ??= PLACES - 1;
    this.flush();
    this.show();
  }

  /** Every few seconds, and before the page goes. */
  flush(): void {
    if (this.#place === null || isNothing(this.#waiting)) return;
    const day = dayOf(this.date());
    const kept = this.#read(this.#place);
    const today = kept?.day === day ? kept.today : NO_HELP;
    const next: Kept = {
      since: kept?.since ?? this.#began,
      day,
      today: plus(today, this.#waiting),
      all: plus(kept?.all ?? NO_HELP, this.#waiting),
    };
    try {
      this.keep.setItem(keyOf(this.#place), JSON.stringify(next));
      this.#waiting = NO_HELP;
    } catch {
      // The browser's small storage is full: it waits, and is shown as long as the page lives.
    }
  }

  #together(): TotalsState {
    const day = dayOf(this.date());
    let today = this.#waiting;
    let all = this.#waiting;
    let since = this.#began;
    for (let place = 0; place < PLACES; place++) {
      const kept = this.#read(place);
      if (!kept) continue;
      if (kept.day === day) today = plus(today, kept.today);
      all = plus(all, kept.all);
      since = Math.min(since, kept.since);
    }
    return { today, all, since };
  }

  #read(place: number): Kept | null {
    try {
      const given: unknown = JSON.parse(this.keep.getItem(keyOf(place)) ?? 'null');
      if (typeof given !== 'object' || given === null) return null;
      const since: unknown = Reflect.get(given, 'since');
      const day: unknown = Reflect.get(given, 'day');
      return {
        since: typeof since === 'number' && since >= 0 ? since : this.#began,
        day: typeof day === 'string' ? day.slice(0, 10) : '',
        today: readHelped(Reflect.get(given, 'today')),
        all: readHelped(Reflect.get(given, 'all')),
      };
    } catch {
      // Not written by us.
      return null;
    }
  }
}

/** Local, so that a day ends at this device's midnight. */
export function dayOf(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
