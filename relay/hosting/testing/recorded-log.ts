import type { Log, LogFields } from '../../watch/types.ts';

export interface Line {
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  fields: LogFields;
}

/** A log that keeps its lines; tests wait for a line instead of for a time. */
export class RecordedLog implements Log {
  constructor(
    readonly lines: Line[] = [],
    private readonly waiting = new Set<() => void>(),
    private readonly fields: LogFields = {},
  ) {}

  debug = (message: string, fields?: LogFields) => this.#add('debug', message, fields);
  info = (message: string, fields?: LogFields) => this.#add('info', message, fields);
  warn = (message: string, fields?: LogFields) => this.#add('warn', message, fields);
  error = (message: string, fields?: LogFields) => this.#add('error', message, fields);

  with(fields: LogFields): Log {
    return new RecordedLog(this.lines, this.waiting, { ...this.fields, ...fields });
  }

  /** Messages above `debug`. */
  get told(): string[] {
    return this.lines.filter(({ level }) => level !== 'debug').map(({ message }) => message);
  }

  /** Resolves when as many lines above `debug` hold the text. */
  async heard(text: string, count = 1): Promise<void> {
    const enough = () => this.told.filter((message) => message.includes(text)).length >= count;
    while (!enough()) await new Promise<void>((resolve) => this.waiting.add(resolve));
  }

  #add(level: Line['level'], message: string, fields: LogFields = {}): void {
    this.lines.push({ level, message, fields: { ...this.fields, ...fields } });
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }
}
