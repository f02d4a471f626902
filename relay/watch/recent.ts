/** Events kept. */
const MOST = 50;
/** Events of one kind within this time are one line, so that a class that opens its laptops does not wipe the rest. */
const TOGETHER_MS = 10_000;
/** A code is a word of ours; nothing else may get in by it. */
const CODE = /^[a-z0-9_.-]{1,40}$/i;

export interface RecentEvent {
  /** When it happened last, ISO 8601. */
  at: string;
  kind: 'started' | 'joined' | 'left' | 'recovered' | 'refused' | 'error' | 'draining';
  count: number;
  /** Of an error or a refusal: `room/code` or the reason. */
  code: string | null;
}

/** The last events, without names, addresses or text. */
export class RecentEvents {
  readonly #events: { event: RecentEvent; since: number }[] = [];

  constructor(private readonly now: () => Date = () => new Date()) {}

  add(
    kind: RecentEvent['kind'],
    { count = 1, code = null }: { count?: number; code?: string | null } = {},
  ): void {
    if (!(count >= 1)) return;
    const time = this.now();
    const said = code === null ? null : code.split('/').every((part) => CODE.test(part)) ? code : 'other';
    const same = this.#events.find(
      ({ event, since }) =>
        event.kind === kind && event.code === said && time.getTime() - since < TOGETHER_MS,
    );
    if (same) {
      same.event.count += count;
      same.event.at = time.toISOString();
      return;
    }
    this.#events.unshift({
      event: { at: time.toISOString(), kind, count, code: said },
      since: time.getTime(),
    });
    this.#events.length = Math.min(this.#events.length, MOST);
  }

  /** For `createMeters`: what is counted elsewhere and belongs here. */
  counted(name: string, labels: Readonly<Record<string, string>>, by: number): void {
    if (name === 'shoal_recoveries_total') this.add('recovered', { count: by });
    if (name === 'shoal_refused_total') this.add('refused', { count: by, code: labels.reason ?? null });
    if (name === 'shoal_errors_total')
      this.add('error', { count: by, code: `${labels.room}/${labels.code}` });
  }

  /** The newest first. */
  list(): RecentEvent[] {
    return this.#events.map(({ event }) => ({ ...event }));
  }
}
