import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BodyBudget, type BodyPace, checkBodyHeaders, readBody } from './body.ts';
import { ApiError } from './errors.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Outcome {
  bytes: Buffer | null;
  error: ApiError | null;
}

/** A server that reads one body, and what came of it. */
async function reader(options: { maxBytes?: number; budget?: BodyBudget; pace?: BodyPace } = {}) {
  const { maxBytes = 1_000, budget = new BodyBudget(10_000), pace } = options;
  const abort = new AbortController();
  let tell: (outcome: Outcome) => void;
  const outcome = new Promise<Outcome>((resolve) => {
    tell = resolve;
  });
  const server = createServer((request, response) => {
    const read = async () => {
      checkBodyHeaders(request, maxBytes);
      return readBody(request, { maxBytes, budget, signal: abort.signal, pace });
    };
    read().then(
      ({ bytes, release }) => {
        expect(budget.held).toBe(bytes.length);
        release();
        release();
        tell({ bytes, error: null });
        response.end();
      },
      (error: unknown) => {
        tell({ bytes: null, error: error as ApiError });
        response.end();
      },
    );
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  // The server may cut it off.
  socket.on('error', () => undefined);
  const head = (headers: string) =>
    `POST / HTTP/1.1\r\nHost: x\r\n${headers.trim().replaceAll(/\s*\n\s*/g, '\r\n')}\r\n\r\n`;
  return {
    socket,
    outcome,
    budget,
    abort,
    send: (headers: string, body = '') => socket.write(head(headers) + body),
  };
}

const JSON_TYPE = 'Content-Type: application/json';

describe('the body of a request', () => {
  it('is read whole, with a length or in chunks', async () => {
    const first = await reader();
    first.send(`${JSON_TYPE}; charset="UTF-8"\nContent-Length: 5`, 'hello');
    expect((await first.outcome).bytes?.toString()).toBe('hello');
    const second = await reader();
    second.send(`${JSON_TYPE}\nTransfer-Encoding: chunked`, '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n');
    expect((await second.outcome).bytes?.toString()).toBe('hello');
    expect(second.budget.held).toBe(0);
  });

  it.each([
    ['no type', 'Content-Length: 2'],
    ['a form', 'Content-Type: application/x-www-form-urlencoded\nContent-Length: 2'],
    ['plain text', 'Content-Type: text/plain\nContent-Length: 2'],
    ['another character set', `${JSON_TYPE}; charset=latin1\nContent-Length: 2`],
    ['gzip', `${JSON_TYPE}\nContent-Encoding: gzip\nContent-Length: 2`],
  ])('is refused unread for its headers: %s', async (_what, headers) => {
    const { send, outcome } = await reader();
    send(headers, '{}');
    expect((await outcome).error).toMatchObject({ status: 415 });
  });

  it('is refused by its length alone, and by its bytes when it has no length', async () => {
    const first = await reader();
    first.send(`${JSON_TYPE}\nContent-Length: 1001`);
    expect((await first.outcome).error).toMatchObject({ status: 413 });
    const second = await reader();
    second.send(`${JSON_TYPE}\nTransfer-Encoding: chunked`, `3e9\r\n${'x'.repeat(1001)}\r\n`);
    expect((await second.outcome).error).toMatchObject({ status: 413 });
    expect(second.budget.held).toBe(0);
  });

  it('is refused when those of all together are too large', async () => {
    const budget = new BodyBudget(1_500);
    budget.take(1_000);
    const { send, outcome } = await reader({ budget });
    send(`${JSON_TYPE}\nContent-Length: 501`, 'x'.repeat(501));
    expect((await outcome).error).toMatchObject({ status: 503, headers: { 'Retry-After': '5' } });
    expect(budget.held).toBe(1_000);
  });

  it('is cut off when nothing comes', async () => {
    const { send, outcome } = await reader({ pace: { silence: 50, whole: 60_000, bytesPerSecond: 1 } });
    send(`${JSON_TYPE}\nContent-Length: 100`, 'x');
    expect((await outcome).error).toMatchObject({ status: 408 });
  });

  it('is cut off when it drips', async () => {
    const { socket, send, outcome } = await reader({
      maxBytes: 1e6,
      pace: { silence: 400, whole: 60_000, bytesPerSecond: 100_000 },
    });
    send(`${JSON_TYPE}\nContent-Length: 100000`);
    const drip = setInterval(() => socket.write('x'), 20);
    expect((await outcome).error).toMatchObject({ status: 408 });
    clearInterval(drip);
  });

  it('is cut off when it takes too long in all', async () => {
    const { socket, send, outcome } = await reader({
      maxBytes: 1e6,
      pace: { silence: 10_000, whole: 300, bytesPerSecond: 1 },
    });
    send(`${JSON_TYPE}\nContent-Length: 100000`);
    const drip = setInterval(() => socket.write('xxxx'), 20);
    const { error } = await Promise.race([
      outcome,
      new Promise<Outcome>((_resolve, reject) =>
        setTimeout(() => reject(new Error('It still waits.')), 20_000),
      ),
    ]);
    clearInterval(drip);
    expect(error).toMatchObject({ status: 408 });
  });

  it('frees its memory when the client hangs up, and when the call is aborted', async () => {
    const first = await reader();
    first.send(`${JSON_TYPE}\nContent-Length: 100`, 'x');
    first.socket.end();
    expect((await first.outcome).error).toMatchObject({ code: 'incomplete_body' });
    expect(first.budget.held).toBe(0);
    const second = await reader();
    second.send(`${JSON_TYPE}\nContent-Length: 100`, 'x');
    second.abort.abort();
    expect((await second.outcome).error).toBeInstanceOf(ApiError);
    expect(second.budget.held).toBe(0);
  });
});
