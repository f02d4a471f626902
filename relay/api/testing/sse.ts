import { expect } from 'vitest';
import { faults } from './contract.ts';

export interface Sent {
  status: number;
  headers: Headers;
  text: string;
  /** The JSON of a whole answer or an error. */
  // biome-ignore lint/suspicious/noExplicitAny: it was held against the description, which says what it is
  json: any;
  /** The objects of a stream, in order. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  chunks: any[];
  /** Comments of a stream. */
  comments: string[];
  done: boolean;
}

const WHOLE = {
  '/v1/chat/completions': 'CreateChatCompletionResponse',
  '/v1/completions': 'CreateCompletionResponse',
} as const;
const CHUNK = {
  '/v1/chat/completions': 'CreateChatCompletionStreamResponse',
  '/v1/completions': 'CreateCompletionStreamResponse',
} as const;

/** Posts, and holds whatever comes back against OpenAI's description. */
export async function post(
  url: string,
  path: keyof typeof WHOLE,
  body: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Sent> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal,
  });
  return read(response, path);
}

export async function read(response: Response, path: keyof typeof WHOLE): Promise<Sent> {
  const text = await response.text();
  const sent: Sent = {
    status: response.status,
    headers: response.headers,
    text,
    json: null,
    chunks: [],
    comments: [],
    done: false,
  };
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    sent.json = JSON.parse(text);
    expect(faults(response.ok ? WHOLE[path] : 'ErrorResponse', sent.json)).toBe('');
    return sent;
  }
  expect(text.endsWith('\n\n')).toBe(true);
  for (const event of text.split('\n\n').slice(0, -1)) {
    expect(event).not.toContain('\n');
    expect(sent.done).toBe(false);
    if (event.startsWith(': ')) sent.comments.push(event.slice(2));
    else if (event === 'data: [DONE]') sent.done = true;
    else {
      expect(event.startsWith('data: ')).toBe(true);
      const chunk = JSON.parse(event.slice('data: '.length));
      expect(faults('error' in chunk ? 'ErrorResponse' : CHUNK[path], chunk)).toBe('');
      sent.chunks.push(chunk);
    }
  }
  return sent;
}
