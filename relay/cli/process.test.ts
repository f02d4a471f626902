import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('../../bin/shoal-relay.mjs', import.meta.url));
const MAIN = fileURLToPath(new URL('testing/main.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');
/** A process that loads TypeScript takes two seconds, on a busy machine many more. */
const PATIENCE = 120_000;

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'shoal-process-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

function begin(args: string[]) {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const result = { code: null as number | null, out: '', notes: '' };
  child.stdout.on('data', (part) => (result.out += part));
  child.stderr.on('data', (part) => (result.notes += part));
  return {
    child,
    ended: once(child, 'close').then(([code]) => {
      result.code = code;
      return result;
    }),
  };
}

it('the installed command works from any folder', { timeout: PATIENCE }, async () => {
  const { code, out, notes } = await begin([BIN, '--help']).ended;
  expect([code, notes]).toEqual([0, '']);
  expect(out).toContain('--port');
});

it('the installed command tells a mistake in one line and ends with 2', { timeout: PATIENCE }, async () => {
  const { code, notes } = await begin([BIN, '--port', 'eighty']).ended;
  expect([code, notes]).toEqual([2, '--port takes a port from 0 to 65535, not "eighty".\n']);
});

it('init, then start with what it wrote, and status without a relay', { timeout: PATIENCE }, async () => {
  const busy = createServer();
  busy.listen(0, '127.0.0.1');
  await once(busy, 'listening');
  const { port } = busy.address() as { port: number };
  busy.close();
  await once(busy, 'close');
  const run = (...args: string[]) => begin([BIN, ...args]).ended;
  expect(await run('init', '--port', String(port))).toMatchObject({ code: 0, notes: '' });
  const started = await begin(['--import', TSX, MAIN]).ended;
  expect(started.code).toBe(0);
  expect(JSON.parse(started.out)).toEqual({ port, data: join(cwd, 'data'), file: join(cwd, 'shoal.yaml') });
  expect(await run('status')).toEqual({
    code: 3,
    out: '',
    notes: `No relay answers at http://127.0.0.1:${port}: nothing listens there.\n`,
  });
});

it('Ctrl-C ends a command that waits for somebody', { timeout: PATIENCE }, async () => {
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const { child, ended } = begin([BIN, 'doctor', '--url', `http://127.0.0.1:${port}`, '--model', cwd]);
  await once(silent, 'connection');
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
  silent.close();
});

it('a reader who has seen enough ends it without a stack trace', { timeout: PATIENCE }, async () => {
  const { child, ended } = begin([BIN, 'help', 'options']);
  child.stdout.destroy();
  expect(await ended).toEqual({ code: 0, out: '', notes: '' });
});
