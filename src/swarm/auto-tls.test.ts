import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { autoTlsHost } from './auto-tls.ts';
import { startRelay } from './testing/relay.ts';

// Several whole nodes and their handshakes, on a machine that may be busy with others.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

const PEER = '12D3KooWLxC9RjezQ5TpUKBCKpJnakGqgGoSoGjSKpTwt6SNEHSM';

it('the name of a relay has its address and its peer id in it', () => {
  const id = /^[^.]+\.(k[0-9a-z]+)\.libp2p\.direct$/.exec(autoTlsHost(PEER, '192.0.2.7'))?.[1];
  expect(id).toBeDefined();
  expect(autoTlsHost(PEER, '192.0.2.7')).toBe(`192-0-2-7.${id}.libp2p.direct`);
  expect(autoTlsHost(PEER, '2001:db8::1')).toBe(`2001-db8--1.${id}.libp2p.direct`);
  expect(autoTlsHost(PEER, '::1')).toBe(`0--1.${id}.libp2p.direct`);
});

// The real certificate authority is not there; what is real is the service, which asks the one that it is told of.
it('a certificate is asked for when a public address is announced, a refusal harms nobody, and a stop ends it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-'));
  const asked: string[] = [];
  let told = () => {};
  const authority = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    told();
    response.writeHead(500).end();
  });
  authority.listen(0, '127.0.0.1');
  await once(authority, 'listening');
  const url = `http://127.0.0.1:${(authority.address() as AddressInfo).port}`;
  const certificates: unknown[] = [];
  const start = (advertise: string[]) =>
    startRelay({
      dataFolder: folder,
      datastore: true,
      listen: { tcp: 0, host: '127.0.0.1' },
      advertise,
      autoTls: {
        onCertificate: (certificate) => certificates.push(certificate),
        acmeDirectory: `${url}/directory`,
        forgeEndpoint: `${url}/forge`,
        delayMs: 0,
      },
    });
  try {
    // A name is no address that the service could dial, and nobody is asked.
    const named = await start(['/dns/relay.example/tcp/443/tls/ws']);
    await named.stop();
    expect(asked).toEqual([]);

    const first = new Promise<void>((resolve) => {
      told = resolve;
    });
    const relay = await start(['/ip4/8.8.8.8/tcp/4001']);
    await first;
    expect(asked[0]).toBe('GET /directory');
    expect(await (await fetch(`http://127.0.0.1:${relay.port}/`)).text()).toBe('the page');
    await relay.stop();
    expect(certificates).toEqual([]);
  } finally {
    authority.closeAllConnections();
    authority.close();
    await rm(folder, { recursive: true, force: true });
  }
});
