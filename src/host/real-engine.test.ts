import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../engine/index.ts';
import { loadSlice, nodePlatform } from '../engine/node.ts';
import { type Fixture, openFixture } from '../engine/testing/fixtures.ts';
import { argmax } from '../engine/testing/golden.ts';
import { MemoryNetwork } from '../swarm/testing/memory.ts';
import { decodeHidden, encodeHidden } from '../wire/index.ts';
import { createHost } from './index.ts';
import { CID, HandClient } from './testing/hand-client.ts';
import { ManualClock } from './testing/manual-clock.ts';

/** Layers 1 to 4 of a tiny model on two hosts; layer 0, embedding and head with the client. */
const LAYERS = 4;
const PROMPT = Array.from({ length: 90 }, (_, i) => (i * 37) % 512);

let fixture: Fixture;
let whole: Engine;
let front: Engine;
let head: Engine;
const network = new MemoryNetwork();
const hosts = ['near', 'far', 'spare'].map((peer) => {
  const transport = network.join(peer);
  return createHost({ transport, directory: network.directory(peer), clock: new ManualClock(), agent: 'x' });
});

const load = (start: number, end: number, ends: { embed?: boolean; head?: boolean } = {}) =>
  loadSlice(nodePlatform, {
    manifest: fixture.manifest,
    weights: fixture.weights,
    slice: { start, end, embed: false, head: false, ...ends },
    maxTokens: 256,
    measure: false,
  });

beforeAll(async () => {
  fixture = await openFixture('qwen3');
  const ranges = [
    [1, 3],
    [3, 4],
    [1, 3],
  ] as const;
  [whole, front, head] = await Promise.all([
    load(0, LAYERS, { embed: true, head: true }),
    load(0, 1, { embed: true }),
    load(LAYERS, LAYERS, { head: true }),
  ]);
  for (const [at, [start, end]] of ranges.entries())
    await hosts[at]!.lend({
      cid: CID,
      layers: LAYERS,
      start,
      end,
      main: { start, end, embed: false, head: false },
      memoryBudget: 1e9,
      load: (part) => load(part.start, part.end),
    });
});
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.close('the test is over')));
  await Promise.all([whole, front, head].map((engine) => engine.dispose()));
});

describe('a real model over two hosts', () => {
  test('says what the whole says, and goes on saying it when a host is lost', async () => {
    const client = new HandClient(network.join('client'));
    const sessions = { whole: await whole.open(), front: await front.open(), head: await head.open() };
    const width = front.info.width;
    await client.open([
      { peer: 'near', start: 1, end: 3 },
      { peer: 'far', start: 3, end: 4 },
    ]);
    const sent: Float32Array[] = [];
    const send = async (peer: string, epoch: number, position: number, rows: Float32Array, last: number) => {
      const count = rows.length / width;
      await client.rows(peer, position, new Float32Array(4 * count), {
        shape: [1, count, width],
        payload: encodeHidden(rows, width, 'fp32'),
        answer_from: last,
        epoch,
      });
    };
    const next = async (tokens: number[], position: number, peer: string, epoch: number) => {
      const { hidden } = await front.forward(sessions.front, { tokens });
      sent.push(hidden!);
      const last = position + tokens.length - 1;
      for (let at = 0; at < tokens.length; at += 64)
        await send(peer, epoch, position + at, hidden!.slice(at * width, (at + 64) * width), last);
      return answered();
    };
    const answered = async () => {
      const { payload, shape, dtype } = await client.take('forward_hidden', 'far');
      const row = decodeHidden(payload, shape, dtype);
      const { logits } = await head.forward(sessions.head, { hidden: row });
      await head.truncate(sessions.head, 0);
      return argmax(logits!);
    };

    const expected: number[] = [];
    let tokens = PROMPT;
    for (let step = 0; step < 20; step++) {
      const { logits } = await whole.forward(sessions.whole, { tokens });
      expected.push(argmax(logits!));
      tokens = [expected.at(-1)!];
    }

    const said = [await next(PROMPT, 0, 'near', 1)];
    for (let step = 0; step < 9; step++)
      said.push(await next([said.at(-1)!], PROMPT.length + step, 'near', 1));
    network.kill('near');
    client.epoch = 2;
    const { self } = client.transport;
    const length = PROMPT.length + 9;
    await client.init({ peer: 'spare', start: 1, end: 3 }, self, 'far', {
      replay: { from: length, deliver_from: length, answer_from: length },
    });
    await client.init({ peer: 'far', start: 3, end: 4 }, 'spare', self, { out_epoch: 1 });
    await client.ack('spare');
    expect(await client.ack('far')).toMatchObject({ length });
    const log = new Float32Array(length * width);
    let at = 0;
    for (const rows of sent) {
      log.set(rows, at);
      at += rows.length;
    }
    for (let from = 0; from < length; from += 64)
      await send('spare', 2, from, log.slice(from * width, (from + 64) * width), length);
    for (let step = 9; step < 19; step++)
      said.push(await next([said.at(-1)!], PROMPT.length + step, 'spare', 2));
    expect(said).toEqual(expected);
    expect(hosts[1]!.status().counters).toMatchObject({ prefillPositions: 90, decodePositions: 19 });
    await client.abort('spare');
    await client.abort('far');
  });
});
