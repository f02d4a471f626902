import { expect, it } from 'vitest';
import { coverageBar, coverageWords } from './coverage.ts';
import { escapeHtml } from './html.ts';
import type { NetworkState } from './network-state.ts';
import { renderStatus } from './status-page.ts';
import { stateOf } from './testing/state.ts';

const now = new Date('2026-03-04T12:34:57Z');
const render = (change: Partial<NetworkState> = {}) =>
  renderStatus({ state: stateOf(change), now, begun: now, refreshes: true });

it('says what there is, in tables with headers and headings in order', () => {
  const page = render();
  expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect(page.match(/<h1>/g)).toHaveLength(1);
  expect([...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title)).toEqual([
    'Models',
    'Hosts',
    'Links',
    'Joined relays',
    'Lately',
  ]);
  expect(page).toContain('<th scope="col">Round trip</th>');
  expect(page).toContain(
    '<th scope="row">abcdefgh</th><td>Model 1–3</td><td>websocket</td><td>12 ms</td><td>2</td>',
  );
  expect(page).toContain('Error: api/failed');
  expect(page).toContain('1.5 MB');
  expect(page).toContain('name="viewport"');
  expect(page).toContain('prefers-color-scheme: dark');
});

it('layers that nobody holds are red, of one host amber, of more green, and words say the same', () => {
  expect(coverageBar([0, 1, 2, 3]).text).toMatch(
    /^<div class="bar" role="img" aria-label="[^"]+"><i class="c0"><\/i><i class="c1"><\/i>(<i class="c2"><\/i>){2}<\/div>$/,
  );
  expect(coverageWords([0, 1, 1, 2])).toBe('Layer 0: nobody. Layers 1 to 2: 1 host. Layer 3: 2 hosts.');
  expect(render()).toContain('Every layer that a tab needs is there.');
  const [model] = stateOf().models;
  expect(render({ models: [{ ...model!, coverage: [1, 1, 0, 0] }] })).toContain('2 layers are missing.');
});

it('escapes everything that anybody could have chosen', () => {
  const evil = `</style><script>alert(1)</script>"' onload=x &amp;\u202e\0`;
  const page = render({
    relay: { peer: evil, version: evil, uptime_s: 1, url: evil, draining: true },
    models: [{ id: evil, cid: evil, name: evil, layers: 1, coverage: [1], holders: 1, client_layers: 1 }],
    hosts: [{ ...stateOf().hosts[0]!, peer: evil, path: evil, layers: [{ cid: evil, start: 0, end: 1 }] }],
    peers: { total: 1, hosting: 1, by_path: { [evil]: 1 } },
    relays: [{ peer: evil, state: evil }],
    recent: [{ at: '2026-03-04T12:34:50.000Z', kind: 'error', count: 1, code: evil }],
  });
  expect(page).not.toContain('<script');
  expect(page.match(/<\/style>/g)).toHaveLength(1);
  expect(page).not.toMatch(/[\u202e\0]/);
  expect(escapeHtml(`<a href="x" title='y'>&`)).toBe('&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;');
});

it('stays small with a full network', () => {
  const [host] = stateOf().hosts;
  const hosts = Array.from({ length: 500 }, (_, i) => ({ ...host!, peer: `peer${i}` }));
  const page = render({ hosts, peers: { total: 900, hosting: 700, by_path: {} } });
  expect(page.length).toBeLessThan(60_000);
  expect(page).toContain('And 600 more.');
});
