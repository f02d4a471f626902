import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tinyModel } from '../src/sdk/testing/tiny-model.ts';
import { relayAddress, type Swarm } from '../src/swarm/index.ts';
import { createNodeSwarm } from '../src/swarm/node.ts';
import { KeyFile } from './api/index.ts';
import { buildPage } from './build.ts';
import type { NetworkDescription } from './http/network-route.ts';
import { RelayProcess } from './testing/relay-process.ts';

const MODEL_ID = 'tiny';
const TRIES = 20;
/** Twenty starts of a process that loads onnxruntime and libp2p. */
const LONG = 600_000;

let folder: string;
let model: string;
let relay: RelayProcess | null = null;
let peer: Swarm | null = null;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-crash-'));
  model = join(folder, 'tiny.gguf');
  await writeFile(model, tinyModel(4));
  await buildPage(fileURLToPath(new URL('..', import.meta.url)));
}, 120_000);
afterEach(async () => {
  await peer?.close('the test is over');
  await relay?.stop('SIGKILL');
});
afterAll(() => rm(folder, { recursive: true }));

/** The Lehmer generator of Park and Miller: the same moments in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Answers given since the relay was set up, by its own counters. */
async function answersOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^shoal_answers_total\{[^}]*\} (\d+)/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}

function ask(url: string, key: string): Promise<number> {
  return fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: MODEL_ID, prompt: 'a shoal of fish', max_tokens: 4, temperature: 0 }),
  }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status;
    },
    // Killed in the middle of it.
    () => 0,
  );
}

describe('a relay that is killed under load', () => {
  it(
    `comes back ${TRIES} times as who it was, with its keys and counters, and no file is broken`,
    async () => {
      const data = join(folder, 'data');
      const { key } = await (await KeyFile.open(data)).add({ name: 'first' });
      const random = seeded(7);
      let port = '0';
      let told: NetworkDescription | null = null;
      let counted = 0;
      for (let i = 0; i <= TRIES; i++) {
        relay = new RelayProcess([
          ...['--port', port, '--host', '127.0.0.1', '--data', data, '--model', model],
          ...['--api-keys', 'required', '--network-webrtc-port', told ? udpPort(told) : '0'],
        ]);
        const url = await relay.url();
        port = new URL(url).port;
        const now = (await (await fetch(`${url}/network.json`)).json()) as NetworkDescription;
        // Peer id, port and certhash of webrtc-direct.
        if (told) expect(now).toEqual(told);
        expect(now.addresses.some((address) => address.includes('/certhash/'))).toBe(true);
        told = now;
        peer ??= await createNodeSwarm({ relays: [relayAddress(url, now.peer)] });
        const joined = connected(peer);
        await relay.said(/Lending layers/);

        // What an earlier run counted is there, but for the last five seconds of it.
        expect(await answersOf(url)).toBeGreaterThanOrEqual(counted);
        expect(await ask(url, 'sk-shoal-unknown')).toBe(401);
        const first = ask(url, key);
        const others = Array.from({ length: 8 }, () => ask(url, key));
        expect(await first).toBe(200);
        counted = await saved(data);
        await joined;
        if (i === TRIES) {
          await Promise.all(others);
          break;
        }
        // At any moment of answers, records and writes.
        await new Promise((resolve) => setTimeout(resolve, random() * 200));
        await relay.stop('SIGKILL');
        await Promise.all(others);
      }
      expect(await relay!.stop()).toBe(0);
      expect(await saved(data)).toBeGreaterThan(0);
      expect(relay!.text).not.toMatch(/cannot be read|moved aside|broken|begin at 0/);
      const left = await readdir(data, { recursive: true });
      expect(left.filter((name) => name.includes('.broken') || name.includes('.damaged'))).toEqual([]);
      expect((await KeyFile.open(data)).list().map(({ name }) => name)).toEqual(['first']);
    },
    LONG,
  );
});

function udpPort({ addresses }: NetworkDescription): string {
  return /\/udp\/(\d+)\/webrtc-direct/.exec(addresses.join(' '))![1]!;
}

/** Answers that the counter file holds now; whole, or this throws. */
async function saved(data: string): Promise<number> {
  const text = await readFile(join(data, 'counters.json'), 'utf8').catch(() => null);
  if (text === null) return 0;
  const { counters } = JSON.parse(text) as { counters: Record<string, unknown> };
  return JSON.stringify(counters.shoal_answers_total ?? 0)
    .match(/\d+(?=[\]},]|$)/g)!
    .reduce((sum, n) => sum + Number(n), 0);
}

/** Until the peer has its reservation at the relay, by itself. */
async function connected(swarm: Swarm): Promise<void> {
  if (swarm.status().relay === 'connected') return;
  await new Promise<void>((resolve) => {
    const stop = swarm.subscribe(({ relay }) => {
      if (relay !== 'connected') return;
      stop();
      resolve();
    });
  });
}
