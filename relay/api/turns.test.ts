import { describe, expect, it } from 'vitest';
import { CHAT, Fixture, from, hi, until } from './testing/fixture.ts';
import { post, read } from './testing/sse.ts';

const fixture = new Fixture();

describe('the queue', () => {
  const quick = { beat: { place: 20, keepAlive: 50 } };

  it('tells a stream its place, and a whole answer where it stood', async () => {
    const { url, api } = await fixture.start({ answers: 1, answersPerClient: 1 }, quick);
    const open = fixture.dam();
    const first = post(url, CHAT, hi, from(1));
    await until(() => api.status().running === 1);
    const second = post(url, CHAT, hi, from(1));
    await until(() => api.status().waiting === 1);
    const response = await fetch(url + CHAT, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...from(1) },
      body: JSON.stringify({ ...hi, stream: true }),
    });
    // The headers are here, and the engine has not begun.
    expect(response.headers.get('x-shoal-queue')).toBe('2');
    expect(response.headers.has('x-shoal-route')).toBe(false);
    open();
    const { comments, chunks, done } = await read(response, CHAT);
    expect(comments[0]).toBe('waiting, place 2 of 2');
    expect([done, chunks.at(-1).shoal.route]).toEqual([true, 'own']);
    expect((await first).headers.get('x-shoal-queue')).toBe('0');
    expect((await second).headers.get('x-shoal-queue')).toBe('1');
  });

  it('keeps a stream alive while nothing can be told', async () => {
    const { url } = await fixture.start({}, quick);
    const open = fixture.dam();
    const response = await fetch(url + CHAT, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...hi, stream: true }),
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!/(: working\n\n){2}/.test(text)) text += (await reader.read()).value;
    open();
    await reader.cancel();
  });

  it('answers another client after one answer of a greedy one', async () => {
    const { url, api } = await fixture.start({ answers: 1, answersPerClient: 1 });
    const open = fixture.dam();
    const order: string[] = [];
    const ask = (name: string) =>
      post(url, CHAT, hi, from(name === 'other' ? 2 : 1)).then(() => order.push(name));
    const all = [];
    for (let i = 0; i < 8; i++) {
      all.push(ask('greedy'));
      await until(() => api.status().running + api.status().waiting === i + 1);
    }
    all.push(ask('other'));
    await until(() => api.status().waiting === 8);
    open();
    await Promise.all(all);
    expect(order.indexOf('other')).toBeLessThanOrEqual(2);
  });

  it('refuses past its caps, before the body is read', async () => {
    const { url, api } = await fixture.start({
      answers: 1,
      answersPerClient: 1,
      waiting: 2,
      waitingPerClient: 1,
    });
    const open = fixture.dam();
    const running = post(url, CHAT, hi, from(1));
    await until(() => api.status().running === 1);
    const waiting = [post(url, CHAT, hi, from(1))];
    await until(() => api.status().waiting === 1);
    const own = await post(url, CHAT, hi, from(1));
    expect([own.status, own.json.error.code]).toEqual([429, 'rate_limit_exceeded']);
    waiting.push(post(url, CHAT, hi, from(2)));
    await until(() => api.status().waiting === 2);
    const other = await post(url, CHAT, hi, from(3));
    expect([other.status, other.json.error.code]).toEqual([503, 'overloaded']);
    open();
    for (const { status } of await Promise.all([running, ...waiting])) expect(status).toBe(200);
  });

  it('is left at once by who hangs up, and the work stops within a step', async () => {
    const { url, api, meters } = await fixture.start({ answers: 1, answersPerClient: 1 });
    const open = fixture.dam();
    const gone = new AbortController();
    const running = post(url, CHAT, { ...hi, max_tokens: 200 }, from(1), gone.signal);
    const { began } = fixture.answers;
    await until(() => fixture.answers.began > began || api.status().running === 1);
    const waiting = post(url, CHAT, hi, from(1), gone.signal);
    await until(() => api.status().waiting === 1);
    gone.abort();
    await expect(Promise.all([running, waiting])).rejects.toThrow();
    await expect(waiting).rejects.toThrow();
    await until(() => api.status().running === 0 && api.status().waiting === 0);
    await until(() => meters.of('shoal_api_requests_total', { endpoint: 'chat', end: 'cancelled' }) === 2);
    open();
    expect(fixture.answers.began).toBe(fixture.answers.ended);
    expect(api.status().bodyBytes).toBe(0);
    expect(meters.of('shoal_cancelled_total', { stage: 'queue' })).toBe(1);
    expect(meters.of('shoal_cancelled_total', { stage: 'prefill' })).toBe(1);
  });

  it('tells those who wait when the relay stops, and those whose answer is cut off', async () => {
    const { url, api, server } = await fixture.start({ answers: 1, answersPerClient: 1 });
    const open = fixture.dam();
    const running = post(url, CHAT, { ...hi, stream: true });
    await until(() => api.status().running === 1);
    const waiting = post(url, CHAT, hi);
    await until(() => api.status().waiting === 1);
    await api.close();
    expect((await waiting).json.error.code).toBe('stopping');
    await until(() => fixture.answers.began > fixture.answers.ended);
    await server.server.drain({ patience: 1 });
    expect((await running).chunks.at(-1).error.code).toBe('stopping');
    open();
  });
});
