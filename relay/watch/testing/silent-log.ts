import type { Log, LogFields } from '../types.ts';

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silentLog };

/** A log that remembers its lines. */
export class HeardLog implements Log {
  readonly lines: { level: string; message: string; fields: LogFields }[] = [];

  debug = this.#keep('debug');
  info = this.#keep('info');
  warn = this.#keep('warn');
  error = this.#keep('error');

  with(): Log {
    return this;
  }

  #keep(level: string) {
    return (message: string, fields: LogFields = {}) => void this.lines.push({ level, message, fields });
  }
}
