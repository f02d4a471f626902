import type { PeerAddress, Transport } from '../../src/swarm/index.ts';
import { frame } from '../../src/wire/index.ts';

/** First byte of a frame; no message of ours begins with either, as each is a CBOR map. */
const ASK = 0;
const ANSWER = 1;
/** Milliseconds after which an echo counts as lost, and the bench as broken. */
const LOST_MS = 10_000;

/** Sends every asking frame back. @returns a function that ends it */
export function answerEchoes(transport: Transport): () => void {
  return transport.listen({
    frame(from, body) {
      if (body[0] !== ASK) return;
      const answer = body.slice();
      answer[0] = ANSWER;
      // Whoever asks notices a lost echo by its deadline.
      transport.send({ peer: from, addrs: [] }, frame(answer)).catch(() => {});
    },
    gone() {},
  });
}

/**
 * Round trips over the long streams, one after the other, with no work at the other end.
 * @param bytes of one frame, after its length
 * @returns milliseconds of each
 */
export async function echoTrips(
  transport: Transport,
  to: PeerAddress,
  bytes: number,
  count: number,
): Promise<number[]> {
  let arrived: (body: Uint8Array) => void = () => {};
  const end = transport.listen({
    frame(from, body) {
      if (from === to.peer && body[0] === ANSWER) arrived(body);
    },
    gone() {},
  });
  try {
    const body = new Uint8Array(bytes);
    body[0] = ASK;
    return await trips(count, async () => {
      const back = new Promise<Uint8Array>((resolve) => {
        arrived = resolve;
      });
      await transport.send(to, frame(body));
      const { length } = await back;
      if (length !== bytes) throw new Error(`an echo of ${bytes} bytes came back with ${length}`);
    });
  } finally {
    end();
  }
}

/** Times `count` runs of `trip`; one that hangs ends the bench with an error. */
export async function trips(count: number, trip: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await within(LOST_MS, trip(), 'an echo was lost');
    times.push(performance.now() - start);
  }
  return times;
}

/** @throws Error with `lost` when nothing came in time */
export async function within<T>(ms: number, work: Promise<T>, lost: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${lost}: nothing came for ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
