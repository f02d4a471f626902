import type { Stream } from '@libp2p/interface';

/**
 * Resolves when everything given to the stream was taken by the link, or the stream closed.
 *
 * `stream.onDrain()` of @libp2p/utils 7.4.1 works once and resolves at once ever after, so that nothing holds a sender
 * back; the `drain` event is right every time. After it the stream goes on with what it still holds, and may need
 * another one.
 */
export async function drained(stream: Stream): Promise<void> {
  while (isOpen(stream) && (stream.writableNeedsDrain || stream.writeBufferLength > 0)) {
    await new Promise<void>((resolve) => {
      const done = () => {
        stream.removeEventListener('drain', done);
        stream.removeEventListener('close', done);
        resolve();
      };
      stream.addEventListener('drain', done);
      stream.addEventListener('close', done);
    });
  }
}

export function isOpen(stream: Stream): boolean {
  return stream.status === 'open';
}
