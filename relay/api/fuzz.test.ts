import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from './testing/api.ts';
import { faults } from './testing/contract.ts';
import { EngineAnswers, MODEL } from './testing/engine-answers.ts';
import { Mutator, VALID } from './testing/mutator.ts';

const REQUESTS = 48_000;
/** Written byte by byte to a socket, broken heads included. */
const RAW = 2_000;
const AT_ONCE = 12;

let answers: EngineAnswers;
let api: TestApi;
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
beforeAll(async () => {
  answers = await EngineAnswers.open();
  api = await startApi(answers, { answers: 8, answersPerClient: 8, waiting: 64, waitingPerClient: 64 });
});
afterAll(async () => {
  agent.destroy();
  await api.close();
  await answers.close();
});

interface Mutant {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer | null;
}

function send(mutant: Mutant): Promise<{ status: number; type: string; text: string }> {
  const { method, path, body } = mutant;
  // Node's client sends no length by itself with a DELETE.
  const headers = body ? { ...mutant.headers, 'Content-Length': body.length } : mutant.headers;
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: api.server.port, method, path, headers, agent },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'] ?? '',
            text: Buffer.concat(parts).toString(),
          });
        });
      },
    );
    sent.on('error', (error) =>
      reject(new Error(`${error.message} at ${method} ${path} ${JSON.stringify(headers)}`, { cause: error })),
    );
    sent.end(body ?? undefined);
  });
}

/** A raw request; resolves with what came back when the server closes, or has answered. */
function sendRaw(bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(api.server.port, '127.0.0.1', () => socket.end(bytes));
    let text = '';
    socket.on('data', (part) => {
      text += part.toString('latin1');
    });
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
  });
}

describe('50,000 broken requests', () => {
  it('never make it fail: no 500, every error in shape, and a good request works afterwards', async () => {
    const mutator = new Mutator(20_261_121);
    const statuses = new Map<number, number>();
    const worker = async () => {
      for (;;) {
        const mutant = mutator.count < REQUESTS ? mutator.next() : null;
        if (!mutant) return;
        const { status, type, text } = await send(mutant);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        const what = () =>
          `${mutant.method} ${mutant.path} ${mutant.body?.toString('latin1').slice(0, 500)} → ${text}`;
        if (status >= 500 || status < 200) throw new Error(`${status}: ${what()}`);
        if (status >= 400 && mutant.method !== 'HEAD') {
          if (!type.startsWith('application/json')) throw new Error(`${status} ${type}: ${what()}`);
          const fault = faults('ErrorResponse', JSON.parse(text));
          if (fault) throw new Error(`${fault}: ${what()}`);
        }
        if (type.startsWith('text/event-stream') && !text.endsWith('data: [DONE]\n\n')) {
          // The one error that a good question can end in, once its answer began.
          expect(text, what()).toContain('context_length_exceeded');
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));

    const raw = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const text = await sendRaw(mutator.nextRaw());
        if (text !== '' && !/^HTTP\/1\.1 [1-4]/.test(text)) throw new Error(text.slice(0, 500));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, () => raw(Math.ceil(RAW / AT_ONCE))));

    const lines = [...api.log.lines, ...api.server.log.lines];
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([]);
    // The mutator reaches what it should: answers, and each way to be refused.
    for (const status of [200, 400, 404, 405, 413, 415]) {
      expect(statuses.get(status), `status ${status} of ${[...statuses]}`).toBeGreaterThan(100);
    }
    while (api.api.status().running > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(api.api.status()).toEqual({ running: 0, waiting: 0, clients: 0, bodyBytes: 0 });
    expect(answers.began).toBe(answers.ended);
    for (const { path, body } of VALID) {
      const good = await send({
        method: 'POST',
        path,
        headers: { 'Content-Type': 'application/json' },
        body: Buffer.from(JSON.stringify({ ...body, model: MODEL })),
      });
      expect(good.status, good.text).toBe(200);
    }
    console.log(
      `statuses: ${[...statuses]
        .sort()
        .map((pair) => pair.join(': '))
        .join(', ')}`,
    );
  }, 600_000); // It takes a minute of processor time, over several threads; a busy machine takes longer.
});
