import type { LogLevel } from './log.ts';
import type { checkedFields } from './log-fields.ts';

const WORDS: Record<LogLevel, string> = { debug: 'debug: ', info: '', warn: 'warning: ', error: 'error: ' };

/** `12:34:56 message  key=value`, for a person at a terminal. Everything in it is one line already. */
export function textLine(
  time: Date,
  level: LogLevel,
  message: string,
  fields: ReturnType<typeof checkedFields>,
): string {
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`);
  return `${clock} ${WORDS[level]}${message}${rest.length > 0 ? `  ${rest.join(' ')}` : ''}\n`;
}

/** Quoted where the end of a bare value could not be told. */
function plain(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value);
  return value === '' || /[\s="]/.test(value) ? `"${value.replaceAll('"', '\\"')}"` : value;
}
