import { describe, expect, it } from 'vitest';
import { KeptLog } from './testing/api.ts';
import { CHAT, Fixture, from, hi } from './testing/fixture.ts';
import { post } from './testing/sse.ts';
import { DailyUsage } from './usage.ts';

const fixture = new Fixture();

describe('keys', () => {
  it('are needed where they are required', async () => {
    const { url, keys, log } = await fixture.start({ keys: 'required' });
    const { key } = await keys.add({ name: 'laptop' });
    for (const headers of [{}, { Authorization: 'Bearer wrong' }, { Authorization: `Bearer ${key}x` }]) {
      const { status, headers: sent, json } = await post(url, CHAT, hi, headers as Record<string, string>);
      expect([status, json.error.code]).toEqual([401, 'invalid_api_key']);
      expect(sent.get('www-authenticate')).toContain('Bearer');
    }
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    expect((await post(url, CHAT, hi, { Authorization: `bearer ${key}` })).status).toBe(200);
    await keys.revoke('laptop');
    expect((await post(url, CHAT, hi, { Authorization: `Bearer ${key}` })).status).toBe(401);
    expect(log.lines.join()).not.toContain(key);
    expect(log.lines.join()).toContain('laptop');
  });

  it('that are none of ours count as none where keys are optional, and mistaken ones are told', async () => {
    const { url } = await fixture.start();
    expect((await post(url, CHAT, hi, { Authorization: 'Bearer none' })).status).toBe(200);
    expect((await post(url, CHAT, hi, { Authorization: 'Bearer sk-shoal-mistaken' })).status).toBe(401);
  });

  it('limit requests per minute, with headers that say so', async () => {
    const { url, keys } = await fixture.start({ requestsPerMinute: 1 });
    const { key } = await keys.add({ name: 'a', requestsPerMinute: 2 });
    const bearer = { Authorization: `Bearer ${key}` };
    const first = await post(url, CHAT, hi, bearer);
    expect(first.headers.get('x-ratelimit-limit-requests')).toBe('2');
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1');
    expect((await post(url, CHAT, hi, bearer)).status).toBe(200);
    const third = await post(url, CHAT, hi, bearer);
    expect([third.status, third.json.error.code]).toEqual([429, 'rate_limit_exceeded']);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    // An address without a key has a count of its own.
    expect((await post(url, CHAT, hi)).status).toBe(200);
    expect((await post(url, CHAT, hi)).status).toBe(429);
    expect((await post(url, CHAT, hi, from(2))).status).toBe(200);
  });

  it('limit tokens per day, over a restart', async () => {
    const { url, keys, api, folder } = await fixture.start();
    const { key, info } = await keys.add({ name: 'a', tokensPerDay: 40 });
    const bearer = { Authorization: `Bearer ${key}` };
    const { json, headers } = await post(url, CHAT, hi, bearer);
    expect(headers.get('x-ratelimit-remaining-tokens')).toBe('40');
    const used = json.usage.total_tokens;
    expect((await post(url, CHAT, hi, bearer)).headers.get('x-ratelimit-remaining-tokens')).toBe(
      String(40 - used),
    );
    const spent = await post(url, CHAT, hi, bearer);
    expect([spent.status, spent.json.error.code]).toEqual([429, 'insufficient_quota']);
    expect(spent.headers.get('x-should-retry')).toBe('false');
    await api.close();
    expect(DailyUsage.open(folder, new KeptLog()).of(info.id)).toBe(2 * used);
  });
});
