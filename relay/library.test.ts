import { once } from 'node:events';
import { cp, mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import send from 'send';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PrepareProgress, prepareModel } from './library.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));
let data: string;
let hub: Server;
let url: string;
let sent = 0;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'shoal-library-'));
  hub = createServer((request, response) => {
    sent += request.method === 'GET' ? 1 : 0;
    send(request, request.url ?? '/', { root: FIXTURES }).pipe(response);
  }).listen(0, '127.0.0.1');
  await once(hub, 'listening');
  url = `http://127.0.0.1:${(hub.address() as AddressInfo).port}/qwen2`;
});

afterAll(async () => {
  hub.close();
  await rm(data, { recursive: true });
});

it('a folder is served from where it lies', async () => {
  const model = await prepareModel(join(FIXTURES, 'qwen2'), data);
  expect(model).toMatchObject({ id: 'qwen2', license: null, layers: expect.any(Number) });
  for (const file of model.files) expect((await stat(file.path)).size).toBe(file.bytes);
  expect(model.files[0]?.path.startsWith(FIXTURES)).toBe(true);
});

it('a URL is downloaded with progress, becomes the same model, and is not downloaded again', async () => {
  const seen: PrepareProgress[] = [];
  const model = await prepareModel(url, data, { onProgress: (progress) => seen.push(progress) });
  expect(model.cid).toBe((await prepareModel(join(FIXTURES, 'qwen2'), data)).cid);
  expect(model.files.every((file) => file.path.startsWith(data))).toBe(true);
  const last = seen.filter(({ stage }) => stage === 'fetching').at(-1);
  expect(last?.done).toBe(last?.total);
  const before = sent;
  const again: PrepareProgress[] = [];
  await prepareModel(url, data, { onProgress: (progress) => again.push(progress) });
  expect(again.some(({ stage }) => stage === 'fetching')).toBe(false);
  // What is left are the questions whether each file is still the same size.
  expect(sent - before).toBeLessThan(12);
});

it('what is no model is refused with a reason', async () => {
  await expect(prepareModel(join(data, 'absent.gguf'), data)).rejects.toMatchObject({ code: 'not-found' });
  const bare = join(data, 'bare');
  await cp(join(FIXTURES, 'qwen2/model.safetensors'), join(bare, 'model.safetensors'));
  await expect(prepareModel(bare, data)).rejects.toMatchObject({ name: 'ModelError' });
});
