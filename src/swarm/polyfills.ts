/**
 * What today's libp2p takes for granted and Node 20 lacks. Must be imported before libp2p: `node.ts` does.
 */
import { WebSocket as NodeWebSocket } from 'ws';

// Node 22 and every browser have it; about nine places in libp2p call it.
if (!('withResolvers' in Promise)) {
  Object.defineProperty(Promise, 'withResolvers', {
    configurable: true,
    writable: true,
    value: function withResolvers<T>(this: PromiseConstructor) {
      let resolve!: (value: T | PromiseLike<T>) => void;
      let reject!: (reason?: unknown) => void;
      const promise = new this<T>((yes, no) => {
        resolve = yes;
        reject = no;
      });
      return { promise, resolve, reject };
    },
  });
}

/** As a browser's: an error that nobody listens for is no exception, which would end the process; `close` follows it. */
class BrowserLikeWebSocket extends NodeWebSocket {
  constructor(...from: ConstructorParameters<typeof NodeWebSocket>) {
    super(...from);
    this.on('error', () => {});
  }
}

// @libp2p/websockets dials with the global WebSocket, which Node 22 brings.
if (globalThis.WebSocket === undefined) {
  Object.defineProperty(globalThis, 'WebSocket', {
    configurable: true,
    writable: true,
    value: BrowserLikeWebSocket,
  });
}
