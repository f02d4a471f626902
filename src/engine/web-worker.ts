import { webPlatform } from './web-platform.ts';
import { serveEngine } from './worker/host.ts';

const scope = globalThis as unknown as {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
};
serveEngine(
  {
    post: (message, transfer) => scope.postMessage(message, transfer ?? []),
    onMessage: (listener) => scope.addEventListener('message', (event) => listener(event.data)),
  },
  webPlatform(new URL(import.meta.env.SHOAL_ORT ?? '/ort/', globalThis.location.href).href),
);
