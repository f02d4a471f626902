import type { Writable } from 'node:stream';
import pino from 'pino';
import { type Clock, systemClock } from '../../src/swarm/index.ts';
import type { RelayConfig } from '../config/types.ts';
import { checkedFields, MAX_MESSAGE, oneLine } from './log-fields.ts';
import { Flood } from './log-flood.ts';
import { LogSink } from './log-sink.ts';
import { textLine } from './log-text.ts';
import type { Log, LogFields } from './types.ts';

export type LogLevel = RelayConfig['log']['level'];

const RANKS: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A bar that is drawn in the terminal's last line is wiped; its next redraw brings it back. */
const WIPE = '\r\x1b[K';

export interface LogOptions {
  level: LogLevel;
  format: RelayConfig['log']['format'];
  /** Default: standard output. */
  stream?: Writable & { isTTY?: boolean };
  clock?: Clock;
  now?: () => Date;
}

/**
 * A log of lines, JSON by pino or text. It never throws and never ends the process: a stream that fails loses lines.
 * Values are cut to 300 characters and control characters are escaped; of the same message, 20 lines a second are
 * written and the rest is counted.
 */
export function createLog({ level, format, stream = process.stdout, ...options }: LogOptions): Log {
  const { clock = quietClock, now = () => new Date() } = options;
  const text = format === 'text' || (format === 'auto' && stream.isTTY === true);
  const sink = new LogSink(
    stream,
    () => clock.now(),
    (lost) => render('warn', lostLine(lost), {}),
  );
  let line = '';
  // pino makes the line, the sink writes it: pino's own destinations end the process when a disk is full.
  const json = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${now().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (made: string) => {
        line = made;
      },
    },
  );
  function render(at: LogLevel, message: string, fields: ReturnType<typeof checkedFields>): string {
    if (text) return (stream.isTTY ? WIPE : '') + textLine(now(), at, message, fields);
    json[at](fields, message);
    return line;
  }
  const flood = new Flood(clock, (held) => {
    if (RANKS.warn >= RANKS[level]) sink.write(render('warn', `… ${held} more lines of other messages`, {}));
  });
  function write(at: LogLevel, message: string, base: LogFields, fields: LogFields): void {
    if (RANKS[at] < RANKS[level]) return;
    const said = oneLine(message, MAX_MESSAGE);
    const admitted = flood.admits(`${at} ${said}`, (held) =>
      sink.write(render(at, `${said} … ${held} more like this`, {})),
    );
    if (admitted) sink.write(render(at, said, checkedFields(base, fields)));
  }
  const make = (base: LogFields): Log => ({
    debug: (message, fields = {}) => write('debug', message, base, fields),
    info: (message, fields = {}) => write('info', message, base, fields),
    warn: (message, fields = {}) => write('warn', message, base, fields),
    error: (message, fields = {}) => write('error', message, base, fields),
    with: (fields) => make({ ...base, ...fields }),
  });
  return make({});
}

function lostLine(lost: number): string {
  return `${lost} ${lost === 1 ? 'line' : 'lines'} of the log could not be written`;
}

/** Real time; a line that is still to be written does not keep a process alive that has nothing else to do. */
const quietClock: Clock = {
  now: systemClock.now,
  after(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};
