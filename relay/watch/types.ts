import type { CounterName, HistogramName, LabelsOf } from './metric-table.ts';

/** What a log line may carry beside its message. Never a prompt, an answer, a token, a key or a stack of strangers' text. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** A log with levels; `text` or JSON lines, chosen by the configuration. The message is one plain sentence. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with fields on every line. */
  with(fields: LogFields): Log;
}

/** Where the rooms of the relay report what happened. What can be read off a status (gauges) is asked for instead. */
export interface Meters {
  /** Counters survive a restart. */
  count<N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number): void;
  /** Seconds. */
  observe<N extends HistogramName>(name: N, labels: LabelsOf<N>, seconds: number): void;
}
