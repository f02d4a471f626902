import { execFile } from 'node:child_process';
import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { serve } from '../http/testing/serve.ts';
import { WorkHold } from './hold.ts';
import { type MemorySample, MemoryWatch, readMemory } from './memory.ts';

const CHILD = fileURLToPath(new URL('testing/take-memory.ts', import.meta.url));
const GB = 1024 ** 3;
const plenty: MemorySample = { rss: 1 * GB, heap: 0.1 * GB, heapLimit: 4 * GB, total: 10 * GB };

/** The states that a process of its own went through while it really took memory. */
async function states(kind: string, flags: string[]): Promise<string[]> {
  const args = ['--expose-gc', ...flags, '--import', 'tsx', CHILD, kind, '150'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 100_000 });
  return stdout.trim().split('\n');
}

it('a process that takes memory is told when it is full, and again when there is room', {
  timeout: 120_000,
}, async () => {
  const seen = await states('resident', []);
  expect(seen).toContain('full');
  expect(seen.at(-1)).toBe('ok');
});

it("V8's own limit counts as well: it would end the process", { timeout: 120_000 }, async () => {
  const seen = await states('heap', ['--max-old-space-size=150']);
  expect(seen).toContain('full');
  expect(seen.at(-1)).toBe('ok');
});

it('a state is left only when it is left clearly', () => {
  let now = plenty;
  const watch = new MemoryWatch({ share: 0.5, read: () => now });
  const at = (rss: number) => {
    now = { ...plenty, rss: rss * GB };
    return watch.sample().state;
  };
  expect([1, 4.4, 4.5, 4.9, 5, 4.8, 4.74, 4.3, 4.24].map(at)).toEqual([
    'ok',
    'ok',
    'tight',
    'tight',
    'full',
    'full',
    'tight',
    'tight',
    'ok',
  ]);
  expect(at(9)).toBe('full');
  expect(at(1)).toBe('ok');
  expect(watch.status()).toMatchObject({ limit: 5 * GB, rss: 1 * GB });
  watch.close();
});

it('what is read of this process is plausible', () => {
  const { rss, heap, heapLimit, total } = readMemory();
  expect(heap).toBeLessThan(rss);
  expect(heap).toBeLessThan(heapLimit);
  expect(rss).toBeLessThan(total);
  expect(total).toBeLessThanOrEqual(totalmem());
});

it('whoever asks is told why work is refused, and that it is not any more', () => {
  let now = plenty;
  const watch = new MemoryWatch({ share: 0.9, read: () => now });
  const hold = new WorkHold(watch);
  const told: (string | null)[] = [];
  hold.onChange(() => told.push(hold.why()));
  now = { ...plenty, rss: 9.5 * GB };
  watch.sample();
  expect(hold.accepting()).toBe(false);
  now = plenty;
  watch.sample();
  expect(hold.accepting()).toBe(true);
  hold.drain();
  expect(hold.why()).toContain('stopping');
  expect(told).toEqual([
    expect.stringContaining('short of memory'),
    null,
    expect.stringContaining('stopping'),
  ]);
  watch.close();
});

it('without memory questions are refused in the form of their route, while pages and status are served', async () => {
  let now = plenty;
  const text = (reply: string) => ({
    handle: ({ response }: { response: import('node:http').ServerResponse }) => void response.end(reply),
  });
  const { server, port, guard, log, tally } = await serve(
    [
      {
        methods: ['GET', 'POST'],
        kind: 'api',
        matches: (path) => path === '/v1/x',
        ...text('answer'),
        fail: ({ response }, status, code, message) => {
          response.writeHead(status, { 'Content-Type': 'application/json' });
          response.end(JSON.stringify({ error: { code, message } }));
        },
      },
      { methods: ['GET'], kind: 'light', matches: (path) => path === '/status', ...text('status') },
      { methods: ['GET'], matches: (path) => path === '/', ...text('page') },
    ],
    { memory: { read: () => now } },
  );
  const at = `http://127.0.0.1:${port}`;
  const post = () => fetch(`${at}/v1/x`, { method: 'POST', body: '{}' });
  expect(await (await post()).text()).toBe('answer');
  now = { ...plenty, rss: 9.5 * GB };
  guard.memory.sample();
  const refused = await post();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
  expect(await refused.json()).toEqual({ error: { code: 'memory', message: guard.hold().why() } });
  for (const path of ['/', '/status', '/v1/x']) expect((await fetch(at + path)).status, path).toBe(200);
  now = plenty;
  guard.memory.sample();
  expect(await (await post()).text()).toBe('answer');
  expect(tally.get('shoal_refused_total memory')).toBe(1);
  expect(log.lines).toEqual([
    expect.stringContaining('new work is refused'),
    expect.stringContaining('memory again'),
  ]);
  await server.close();
});
