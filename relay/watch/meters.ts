import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Counters, counterNames, type SavedCounters } from './counters.ts';
import { LabelSets, type Labels, MAX_LABEL_SETS } from './label-sets.ts';
import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
  METRICS,
  type MetricName,
} from './metric-table.ts';
import type { Meters } from './types.ts';

/**
 * Upper bounds in seconds. A step of a small model takes 5 to 30 ms in one process and up to 300 over tabs; a first
 * token or a place in the queue may take a minute.
 */
export const BUCKETS = [0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60];

/** A value that is read when it is asked for; null when there is none now. */
type Reading<N extends GaugeName> = keyof LabelsOf<N> extends never
  ? number | null
  : readonly { labels: LabelsOf<N>; value: number }[];

/** Functions that read the status of the other rooms, by the name of the metric. They answer at once. */
export type GaugeSources = { [N in GaugeName]?: () => Reading<N> };

export interface MetersOptions {
  gauges: GaugeSources;
  /** Told of everything that was counted, with the labels under which it was. */
  onCount?: (name: CounterName, labels: Readonly<Labels>, by: number) => void;
  now?: () => Date;
}

export interface RelayMeters {
  /** What the other rooms report to. */
  readonly meters: Meters;
  /** Rises with every count. */
  version(): number;
  /** In Prometheus' text format 0.0.4. */
  metricsText(): Promise<string>;
  readonly contentType: string;
  /** Sum of a counter, over all sets of labels that have these values. */
  total<N extends CounterName>(name: N, match?: Partial<LabelsOf<N>>): number;
  /** Answers since midnight, UTC. */
  answersToday(): number;
  snapshot(): SavedCounters;
  /**
   * Adds the counters of an earlier run; all or nothing.
   * @returns names that no counter has any more
   * @throws CounterError
   */
  restore(saved: unknown): string[];
}

/** The meters of one relay; a registry of its own, so that two relays in one process do not meet. */
export function createMeters({ gauges, onCount, now }: MetersOptions): RelayMeters {
  const registry = new Registry();
  const counters = new Counters(now);
  for (const name of counterNames()) exposeCounter(registry, name, () => counters.values(name));
  for (const name of namesOf('gauge')) exposeGauge(registry, name, () => read(gauges[name]));
  for (const name of namesOf('read-counter')) exposeCounter(registry, name, () => read(gauges[name]));
  const histograms = new Map(namesOf('histogram').map((name) => [name, histogram(registry, name)]));
  return {
    meters: {
      count(name, labels, by = 1) {
        const counted = counters.count(name, labels, by);
        if (counted) onCount?.(name, counted, by);
      },
      observe(name, labels, seconds) {
        // A clock that jumped is no reason to lose an answer: what is no duration is not counted.
        if (seconds >= 0 && seconds < Infinity) histograms.get(name)?.(labels, seconds);
      },
    },
    version: () => counters.version,
    metricsText: () => registry.metrics(),
    contentType: registry.contentType,
    total: (name, match) => counters.total(name, match as Labels | undefined),
    answersToday: () => counters.today(),
    snapshot: () => counters.saved(),
    restore: (saved) => counters.restore(saved),
  };
}

function namesOf(kind: 'gauge' | 'read-counter'): GaugeName[];
function namesOf(kind: 'histogram'): HistogramName[];
function namesOf(kind: string): MetricName[] {
  return (Object.keys(METRICS) as MetricName[]).filter((name) => METRICS[name].kind === kind);
}

function exposeCounter(
  registry: Registry,
  name: MetricName,
  values: () => readonly { labels: Labels; value: number }[],
): void {
  new Counter({
    name,
    help: METRICS[name].help,
    labelNames: [...METRICS[name].labels],
    registers: [registry],
    collect() {
      const now = values();
      this.reset();
      for (const { labels, value } of now) this.inc(labels, value);
      // A counter without labels is 0 after a reset, which would be a value where there is none.
      if (now.length === 0) this.remove({});
    },
  });
}

function exposeGauge(
  registry: Registry,
  name: MetricName,
  values: () => readonly { labels: Labels; value: number }[],
): void {
  new Gauge({
    name,
    help: METRICS[name].help,
    labelNames: [...METRICS[name].labels],
    registers: [registry],
    collect() {
      const now = values();
      this.reset();
      for (const { labels, value } of now) this.set(labels, value);
      // A gauge without labels is 0 after a reset, which would be a value where there is none.
      if (now.length === 0) this.remove({});
    },
  });
}

/** What a room says now. A room that fails has no value; the others are told all the same. */
function read(source: (() => unknown) | undefined): { labels: Labels; value: number }[] {
  try {
    const reading = source?.() ?? [];
    const list = (typeof reading === 'number' ? [{ labels: {}, value: reading }] : reading) as {
      labels: Labels;
      value: number;
    }[];
    return list.slice(0, MAX_LABEL_SETS).filter(({ value }) => Number.isFinite(value) && value >= 0);
  } catch {
    return [];
  }
}

function histogram(registry: Registry, name: HistogramName): (labels: Labels, seconds: number) => void {
  const { help, labels } = METRICS[name];
  const sets = new LabelSets(labels);
  const made = new Histogram({
    name,
    help,
    labelNames: [...labels],
    buckets: BUCKETS,
    registers: [registry],
  });
  return (given, seconds) => made.observe(sets.admit(given).labels, seconds);
}
