import { ShoalError } from '../errors.ts';

/** One server-sent event; a comment, which only shows that the other end lives, has an empty `event`. */
export interface ServerEvent {
  event: string;
  data: string;
}

/**
 * Reads server-sent events as far as the relay uses them: `event`, `data`, comments, and a blank line after each.
 * @param most characters of one event; more end the stream with an error
 * @throws ShoalError `unreachable`
 */
export async function* serverEvents(
  body: ReadableStream<Uint8Array>,
  most: number,
): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      // What was searched already is not searched again, however small the pieces are.
      let from = Math.max(0, rest.length - 1);
      rest += decoder.decode(value, { stream: true }).replaceAll('\r', '');
      for (let end = rest.indexOf('\n\n', from); end >= 0; end = rest.indexOf('\n\n')) {
        if (end > most) throw tooMuch();
        yield eventIn(rest.slice(0, end));
        rest = rest.slice(end + 2);
        from = 0;
      }
      if (rest.length > most) throw tooMuch();
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function eventIn(block: string): ServerEvent {
  let event = '';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^(event|data): ?(.*)$/s.exec(line) ?? [];
    if (name === 'event') event = value;
    if (name === 'data') data.push(value);
  }
  return { event, data: data.join('\n') };
}

function tooMuch(): ShoalError {
  return new ShoalError('unreachable', 'The relay tells more of the network than a page can take.');
}
