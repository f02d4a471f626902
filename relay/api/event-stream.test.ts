import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from 'vitest';
import { EventStream } from './event-stream.ts';

it('lets a client go that reads no more', async () => {
  const work = new AbortController();
  let sent = 0;
  const ended = new Promise<void>((resolve) => {
    const server = createServer(async (_request, response) => {
      const stream = new EventStream(response, work.signal, () => work.abort(), 100);
      // Far more than the buffers of both ends of a socket hold.
      while (!work.signal.aborted && sent < 10_000) {
        await stream.send({ text: 'x'.repeat(64 * 1024) });
        sent++;
      }
      server.closeAllConnections();
      server.close();
      resolve();
    });
    server.listen(0, '127.0.0.1', () => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      socket.pause();
    });
  });
  await ended;
  expect(work.signal.aborted).toBe(true);
  expect(sent).toBeLessThan(1_000);
});
