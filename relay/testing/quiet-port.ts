import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give away by themselves: what is free here stays free, whatever else runs. */
let next = 20_000 + (process.pid % 5_000);

/** A number that is free on loopback, in TCP and in UDP; another one at each call. */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = next++;
    const server = createServer();
    const socket = createSocket('udp4');
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      socket.bind(port, '127.0.0.1');
      await once(socket, 'listening');
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    } finally {
      server.close();
      socket.close();
    }
  }
}
