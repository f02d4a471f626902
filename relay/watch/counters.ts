import { LabelSets, type Labels } from './label-sets.ts';
import { type CounterName, METRICS } from './metric-table.ts';

/** What is kept of the counters over a restart. */
export interface SavedCounters {
  counters: Partial<Record<CounterName, { labels: Labels; value: number }[]>>;
  /** Answers of one day, by UTC. */
  today: { date: string; answers: number };
}

/** At a million tokens a second, 30 years: no sum of such numbers leaves the safe integers soon. */
const MOST = 1e15;

/** A file of counters that is not one. */
export class CounterError extends Error {
  override readonly name = 'CounterError';
  readonly code = 'bad-counters';
}

/** The counters of the table, in memory. */
export class Counters {
  /** Rises with every change. */
  version = 0;
  readonly #tables = new Map<CounterName, CounterTable>();
  #today: SavedCounters['today'];

  constructor(private readonly now: () => Date = () => new Date()) {
    for (const name of counterNames()) this.#tables.set(name, new CounterTable(METRICS[name].labels));
    this.#today = { date: this.#date(), answers: 0 };
  }

  /** @returns the labels under which it was counted; null when `by` is no number that a counter can rise by */
  count(name: CounterName, labels: Labels, by: number): Labels | null {
    if (!isCount(by)) return null;
    this.version++;
    if (name === 'shoal_answers_total') this.#today = { date: this.#date(), answers: this.today() + by };
    return this.#table(name).add(labels, by);
  }

  /** Answers since midnight, UTC. */
  today(): number {
    return this.#today.date === this.#date() ? this.#today.answers : 0;
  }

  values(name: CounterName): { labels: Labels; value: number }[] {
    return this.#table(name).values();
  }

  /** Sum over the sets of labels that have these values. */
  total(name: CounterName, match: Labels = {}): number {
    const wanted = Object.entries(match);
    return this.values(name)
      .filter(({ labels }) => wanted.every(([label, value]) => labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0);
  }

  saved(): SavedCounters {
    const counters: SavedCounters['counters'] = {};
    for (const name of this.#tables.keys()) {
      const values = this.values(name);
      if (values.length > 0) counters[name] = values;
    }
    return { counters, today: { date: this.#date(), answers: this.today() } };
  }

  /**
   * Adds what was saved. All or nothing.
   * @returns names that no counter has any more, as after an update
   * @throws CounterError when it is not what `saved` gives
   */
  restore(saved: unknown): string[] {
    const { counters, today } = checkedSaved(saved);
    const unknown: string[] = [];
    for (const [name, values] of counters) {
      if (!isCounter(name)) unknown.push(name);
      else for (const { labels, value } of values) this.#table(name).add(labels, value);
    }
    if (today.date === this.#date()) this.#today = { ...today, answers: today.answers + this.today() };
    this.version++;
    return unknown;
  }

  #table(name: CounterName): CounterTable {
    const table = this.#tables.get(name);
    if (!table) throw new CounterError(`There is no counter ${name}.`);
    return table;
  }

  #date(): string {
    return this.now().toISOString().slice(0, 10);
  }
}

class CounterTable {
  readonly #sets: LabelSets;
  readonly #values = new Map<string, { labels: Labels; value: number }>();

  constructor(names: readonly string[]) {
    this.#sets = new LabelSets(names);
    // A counter without labels is told from the start, as 0.
    if (names.length === 0) this.add({}, 0);
  }

  add(given: Labels, by: number): Labels {
    const { key, labels } = this.#sets.admit(given);
    const known = this.#values.get(key);
    if (known) known.value += by;
    else this.#values.set(key, { labels, value: by });
    return labels;
  }

  values(): { labels: Labels; value: number }[] {
    return [...this.#values.values()].map(({ labels, value }) => ({ labels, value }));
  }
}

export function counterNames(): CounterName[] {
  return Object.keys(METRICS).filter(isCounter);
}

function isCounter(name: string): name is CounterName {
  return Object.hasOwn(METRICS, name) && METRICS[name as CounterName].kind === 'counter';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MOST;
}

type Checked = { counters: [string, { labels: Labels; value: number }[]][]; today: SavedCounters['today'] };

function checkedSaved(saved: unknown): Checked {
  const { counters, today } = record(saved, 'The counters');
  const { date, answers } = record(today, 'today');
  if (typeof date !== 'string' || !isCount(answers)) throw new CounterError('today is no count of a day.');
  const checked = Object.entries(record(counters, 'counters')).map(([name, values]) => {
    if (!Array.isArray(values)) throw new CounterError('A counter has no list of values.');
    return [name, values.map(checkedValue)] as Checked['counters'][number];
  });
  return { counters: checked, today: { date, answers } };
}

function checkedValue(entry: unknown): { labels: Labels; value: number } {
  const { labels, value } = record(entry, 'A value');
  const texts = record(labels, 'labels');
  if (!Object.values(texts).every((text) => typeof text === 'string'))
    throw new CounterError('A label is no text.');
  if (!isCount(value)) throw new CounterError('A counter is no number from 0 up.');
  return { labels: texts as Labels, value };
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CounterError(`${what} should be an object.`);
  return value as Record<string, unknown>;
}
