import { describe, expect, it } from 'vitest';
import { AnswerError, type AnswerErrorCode } from '../answers/types.ts';
import { faults } from './testing/contract.ts';
import { CHAT, Fixture, hi } from './testing/fixture.ts';
import { post } from './testing/sse.ts';

const fixture = new Fixture();

describe('errors', () => {
  it.each([
    ['/v1/embeddings', 'POST', 404, 'unknown_url'],
    ['/v1/', 'GET', 404, 'unknown_url'],
    [CHAT, 'GET', 405, 'method_not_allowed'],
    ['/v1/models', 'DELETE', 405, 'method_not_allowed'],
  ])("have OpenAI's shape: %s %s", async (path, method, status, code) => {
    const { url } = await fixture.start();
    const response = await fetch(url + path, { method });
    const body = await response.json();
    expect(faults('ErrorResponse', body)).toBe('');
    expect([response.status, (body as { error: { code: string } }).error.code]).toEqual([status, code]);
  });

  it.each<[AnswerErrorCode, number, string]>([
    ['no-model', 404, 'model_not_found'],
    ['not-ready', 503, 'not_ready'],
    ['busy', 503, 'busy'],
    ['no-peers', 503, 'no_peers'],
    ['stopping', 503, 'stopping'],
    ['context-full', 400, 'context_length_exceeded'],
    ['bad-question', 400, 'invalid_value'],
    ['failed', 500, 'server_error'],
  ])('of an answer have a status: %s', async (code, status, told) => {
    const { url, log, api } = await fixture.start();
    fixture.answers.before = () => {
      throw new AnswerError(code, 'Because.');
    };
    const { status: sent, json, headers } = await post(url, CHAT, hi);
    expect([sent, json.error.code]).toEqual([status, told]);
    expect(headers.has('retry-after')).toBe(status === 503);
    expect(log.lines.some((line) => line.startsWith('error'))).toBe(status === 500);
    expect(api.status()).toMatchObject({ running: 0, bodyBytes: 0 });
  });

  it('that come after the stream began are data, and the stream ends without [DONE]', async () => {
    const { url } = await fixture.start();
    let calls = 0;
    fixture.answers.before = () => {
      if (calls++ === 3) throw new AnswerError('no-peers', 'Nobody holds layers 3 to 5.');
    };
    const { status, chunks, done } = await post(url, CHAT, { ...hi, stream: true });
    expect(status).toBe(200);
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.at(-1)).toMatchObject({ error: { code: 'no_peers' } });
    expect(done).toBe(false);
  });

  it('that nobody foresaw quote nothing, to the client or to the log', async () => {
    const { url, log } = await fixture.start();
    fixture.answers.before = () => {
      throw new TypeError('secret words of the prompt');
    };
    const { status, text } = await post(url, CHAT, hi);
    expect(status).toBe(500);
    expect(text + log.lines.join()).not.toContain('secret');
    expect(log.lines.join()).toContain('TypeError');
  });

  it('reach a client that is still sending a body that is too large', async () => {
    const { url } = await fixture.start({ bodyBytes: 10_000 });
    const body = { ...hi, messages: [{ role: 'user', content: 'x'.repeat(8 << 20) }] };
    for (let i = 0; i < 5; i++) {
      const { status, json } = await post(url, CHAT, body);
      expect([status, json.error.code]).toEqual([413, 'request_too_large']);
    }
  });

  it('say that a conversation is too long', async () => {
    const { url } = await fixture.start();
    const long = { ...hi, messages: [{ role: 'user', content: 'x'.repeat(5_000) }] };
    expect((await post(url, CHAT, long)).json.error.code).toBe('context_length_exceeded');
  });

  it('hold back work while the relay drains or is short of memory', async () => {
    let accepting = false;
    const hold = { accepting: () => accepting, why: () => 'This relay is stopping.' };
    const { url, meters } = await fixture.start({}, { hold });
    const { status, headers, json } = await post(url, CHAT, hi);
    expect(status).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(json.error.message).toContain('This relay is stopping.');
    expect(meters.of('shoal_refused_total', { reason: 'overloaded' })).toBe(1);
    accepting = true;
    expect((await post(url, CHAT, hi)).status).toBe(200);
  });
});
