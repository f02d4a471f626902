import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ManualClock } from '../../src/host/testing/manual-clock.ts';
import { createLog, type LogOptions } from './log.ts';
import type { LogFields } from './types.ts';

const CHILD = fileURLToPath(new URL('testing/log-child.ts', import.meta.url));
const TIME = new Date('2026-03-04T05:06:07.089Z');

/** A log and the lines that it wrote. */
function logTo(options: Partial<LogOptions> & { isTTY?: boolean } = {}) {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const { isTTY, ...rest } = options;
  const clock = new ManualClock();
  const log = createLog({
    level: 'info',
    format: 'json',
    stream: Object.assign(stream, { isTTY }),
    clock,
    now: () => TIME,
    ...rest,
  });
  return { log, clock, stream, lines: () => text.split('\n').slice(0, -1), json: () => parsed(text) };
}

function parsed(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

it('a JSON line has the level as a word, the time in ISO, the message and the fields', () => {
  const { log, json } = logTo();
  log
    .with({ room: 'swarm' })
    .warn('A peer was cut off.', { frames: 3, self: false, reason: null, no: undefined });
  expect(json()).toEqual([
    {
      level: 'warn',
      time: '2026-03-04T05:06:07.089Z',
      room: 'swarm',
      frames: 3,
      self: false,
      reason: null,
      msg: 'A peer was cut off.',
    },
  ]);
});

it('a text line reads like a sentence, and marks what is wrong by a word', () => {
  const { log, lines } = logTo({ format: 'text' });
  log.info('Serving a model.', { layers: 30, name: 'Two words', quote: 'a"b' });
  log.error('The disk is full.');
  const clock = [TIME.getHours(), TIME.getMinutes(), TIME.getSeconds()].map((n) =>
    String(n).padStart(2, '0'),
  );
  expect(lines()).toEqual([
    `${clock.join(':')} Serving a model.  layers=30 name="Two words" quote="a\\"b"`,
    `${clock.join(':')} error: The disk is full.`,
  ]);
});

it('auto is text on a terminal, where a progress bar is wiped first, and JSON elsewhere', () => {
  const terminal = logTo({ format: 'auto', isTTY: true });
  terminal.log.info('Here.');
  const [line = ''] = terminal.lines();
  expect(line.startsWith('\r\x1b[K')).toBe(true);
  expect(line.slice(4)).toMatch(/^\d\d:\d\d:\d\d Here\.$/);
  const file = logTo({ format: 'auto' });
  file.log.info('Here.');
  expect(file.json()[0]).toMatchObject({ msg: 'Here.' });
});

it('levels below the one that was asked for are not written', () => {
  const { log, json } = logTo({ level: 'warn' });
  log.debug('no');
  log.info('no');
  log.warn('yes');
  log.error('yes');
  expect(json().map(({ level }) => level)).toEqual(['warn', 'error']);
});

it('text of a stranger can neither begin a line, move a cursor, hide a field nor fill a disk', () => {
  for (const format of ['json', 'text'] as const) {
    const { log, lines } = logTo({ format });
    const evil = '\r\n{"level":"info"}\x1b[2J\x9b31m\u2028\u202e\ud800\0';
    log.info(`Agent ${evil}`, {
      agent: evil,
      long: 'y'.repeat(100_000),
      [evil]: 1,
      msg: 'forged',
      level: 'forged',
    });
    expect(lines()).toHaveLength(1);
    const [line = ''] = lines();
    expect(line).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u202e]/u);
    expect(line.length).toBeLessThan(1000);
    if (format === 'json')
      expect(JSON.parse(line)).toMatchObject({ level: 'info', msg_: 'forged', level_: 'forged' });
  }
});

it('a line has at most twenty fields', () => {
  const { log, json } = logTo();
  log.info('Many.', Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, i])));
  expect(Object.keys(json()[0] ?? {})).toHaveLength(23);
});

it('only numbers, booleans and short strings come in: a conversation has no way into a line', () => {
  const { log, lines } = logTo();
  const prompt = 'my secret question';
  // @ts-expect-error an object is no field
  const conversation: LogFields = { messages: [{ role: 'user', content: prompt }] };
  // @ts-expect-error nor is a list
  const list: LogFields = { prompts: [prompt] };
  // @ts-expect-error nor are bytes
  const bytes: LogFields = { body: new TextEncoder().encode(prompt) };
  for (const fields of [conversation, list, bytes]) log.info('Asked.', fields);
  expect(lines().join('\n')).not.toContain('secret');
  expect(lines()[0]).toContain('"messages":"[object]"');
});

it('a flood of one message is counted, not written, and others still get through', async () => {
  const { log, clock, json } = logTo();
  for (let i = 0; i < 432; i++) log.warn('A frame was refused.', { peer: i });
  log.info('Something else.');
  expect(json()).toHaveLength(21);
  await clock.advance(1000);
  expect(json().at(-1)).toMatchObject({ level: 'warn', msg: 'A frame was refused. … 412 more like this' });
  log.warn('A frame was refused.');
  expect(json()).toHaveLength(23);
  await clock.advance(10_000);
  expect(json(), 'nothing was held back in that second').toHaveLength(23);
});

it('a flood of ever new messages is cut as well', async () => {
  const { log, clock, json } = logTo();
  for (let i = 0; i < 5_000; i++) log.info(`Message ${i}`);
  await clock.advance(1000);
  expect(json()).toHaveLength(501);
  expect(json().at(-1)).toMatchObject({ msg: '… 4500 more lines of other messages' });
});

it('a reader that stands still costs a megabyte at most, and hears how much it missed', async () => {
  let go = () => {};
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      go = done;
    },
  });
  const { log } = logTo({ stream });
  for (let i = 0; i < 9_000; i++) log.info(`Slow ${i % 450}`, { a: 'x'.repeat(300) });
  expect(stream.writableLength).toBeLessThan(1.1 * 1024 * 1024);
  while (stream.writableLength > 0) {
    go();
    await new Promise((resolve) => setImmediate(resolve));
  }
  log.info('Back.');
  for (let i = 0; i < 3; i++) {
    go();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const lost = /"msg":"(\d+) lines of the log could not be written"/.exec(text);
  const written = parsed(text).filter(({ msg }) => String(msg).startsWith('Slow')).length;
  expect(written + Number(lost?.[1])).toBe(9_000);
});

it('a disk that is full loses lines and is tried again', async () => {
  let full = true;
  let text = '';
  const stream = new Writable({
    // As Node's standard output does: it is never really destroyed.
    destroy(error, done) {
      done(error);
      Reflect.apply(Reflect.get(this, '_undestroy'), this, []);
    },
    write(chunk, _encoding, done) {
      if (full) return done(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
      text += chunk;
      done();
    },
  });
  const { log, clock } = logTo({ stream });
  log.info('One.');
  await clock.advance(10);
  log.info('Two.');
  full = false;
  await clock.advance(5_000);
  log.info('Three.');
  expect(parsed(text).map(({ msg }) => msg)).toEqual(['2 lines of the log could not be written', 'Three.']);
});

function start(stdout: 'pipe' | number): ChildProcess {
  return fork(CHILD, { execArgv: ['--import', 'tsx'], stdio: ['ignore', stdout, 'inherit', 'ipc'] });
}

it('a process whose standard output was closed lives on', { timeout: 120_000 }, async () => {
  const child = start('pipe');
  await once(child, 'message');
  child.stdout?.destroy();
  child.send('log');
  expect((await once(child, 'message'))[0]).toBe('alive');
  child.disconnect();
  expect((await once(child, 'exit'))[0]).toBe(0);
});

it.skipIf(process.platform !== 'linux')(
  'a process whose disk is full lives on',
  { timeout: 120_000 },
  async () => {
    const full = openSync('/dev/full', 'w');
    try {
      const child = start(full);
      await once(child, 'message');
      child.send('log');
      expect((await once(child, 'message'))[0]).toBe('alive');
      child.disconnect();
      expect((await once(child, 'exit'))[0]).toBe(0);
    } finally {
      closeSync(full);
    }
  },
);
