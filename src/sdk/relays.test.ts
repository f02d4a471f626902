import { expect, it } from 'vitest';
import { ShoalError } from './errors.ts';
import { relaysOf } from './relays.ts';

const PEER = '12D3KooWQjT5jF1gHqAHC4ZHB3gMJeT3wDkPvZ3h8yTzN7zW6bJx';
const page = new URL('https://page.test/some/where?relay=x');
const answering = (told: unknown) => ({
  fetch: async () => new Response(typeof told === 'string' ? told : JSON.stringify(told)),
});
const never = AbortSignal.timeout(60_000);
const dial = async (told: unknown) => {
  const [source] = relaysOf(answering(told), undefined, page).join;
  return typeof source === 'function' ? source(never) : source;
};

it('the page’s own relay is the default, and tells its peer id itself', async () => {
  expect(relaysOf(answering({}), undefined, page).models.href).toBe('https://page.test/');
  expect(await dial({ peer: PEER, path: '/p2p' })).toBe(`/dns/page.test/tcp/443/tls/ws/p2p/${PEER}`);
});

it('a URL gives models and is joined; a multiaddr is joined only', () => {
  const address = `/dns/b.test/tcp/443/tls/ws/p2p/${PEER}`;
  const both = relaysOf(answering({}), ['http://a.test:8080/', address], page);
  expect(both.models.href).toBe('http://a.test:8080/');
  expect(both.join).toHaveLength(2);
  expect(both.join[1]).toBe(address);
  const only = relaysOf(answering({}), address, page);
  expect(only.models.href).toBe('https://page.test/');
  expect(only.join).toEqual([address]);
});

it('what is no relay is refused in words', async () => {
  for (const given of ['javascript:alert(1)', 'http://', 'x'.repeat(600), new Array(9).fill('/a')]) {
    expect(() => relaysOf(answering({}), given, page)).toThrow(ShoalError);
  }
  await expect(dial({})).rejects.toMatchObject({ code: 'unreachable' });
  await expect(dial({ peer: 5 })).rejects.toMatchObject({ code: 'unreachable' });
  await expect(dial({ peer: '../../etc' })).rejects.toMatchObject({ code: 'no-relay' });
  await expect(dial('no json')).rejects.toMatchObject({ code: 'unreachable' });
  await expect(dial(`{"peer":"${'x'.repeat(70_000)}"}`)).rejects.toMatchObject({ code: 'too-large' });
});
