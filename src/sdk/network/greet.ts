import type { PeerAddress, Swarm } from '../../swarm/index.ts';
import { decodeMessage, encodeMessage, type Hello, PROTOCOL_VERSION, WireError } from '../../wire/index.ts';

/** Milliseconds that a peer has to greet back, the making of the link included: a direct one takes up to a second. */
const GREET_MS = 3_000;

/** What a hello of ours says besides what we ask. */
export const AGENT = 'shoal/0.1.0';

/** A peer that answered, and what it said. */
export interface Greeted {
  peer: string;
  hello: Hello;
}

/** Asks peers what they lend, and with `links` whom they are linked to; one that does not answer in time, or speaks another version, is left out. */
export async function greetAll(
  { transport, clock }: Pick<Swarm, 'transport' | 'clock'>,
  peers: readonly PeerAddress[],
  { signal, links = false }: { signal: AbortSignal; links?: boolean },
): Promise<Greeted[]> {
  const expected = new Map<number, { peer: string; take: (hello: Hello) => void }>();
  const stop = transport.listen({
    frame(from, body) {
      const hello = helloIn(body);
      if (!hello || hello.ask || hello.nonce === undefined) return;
      const waiting = expected.get(hello.nonce);
      if (waiting?.peer === from) waiting.take(hello);
    },
    gone() {},
  });
  const control = new AbortController();
  const both = AbortSignal.any([signal, control.signal]);
  // Other greetings of this peer have nonces of their own.
  const first = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const asked = peers.map(
    (address, i) =>
      new Promise<Greeted | null>((resolve) => {
        expected.set(first + i, {
          peer: address.peer,
          take: (hello) =>
            resolve(hello.proto_ver === PROTOCOL_VERSION ? { peer: address.peer, hello } : null),
        });
        both.addEventListener('abort', () => resolve(null), { once: true });
        const frame = encodeMessage({
          kind: 'hello',
          peer_id: transport.publicKey,
          proto_ver: PROTOCOL_VERSION,
          supported_quants: [],
          ask: true,
          nonce: first + i,
          agent: AGENT,
          ...(links && { want_links: true }),
        });
        transport.send(address, frame, { signal: both }).catch(() => resolve(null));
      }),
  );
  const cancel = clock.after(GREET_MS, () => control.abort());
  try {
    const answers = await Promise.all(asked);
    return answers.filter((answer) => answer !== null);
  } finally {
    cancel();
    control.abort();
    stop();
  }
}

/** Null for any other message. What is wrong with a frame is the host's matter, which gets it too. */
function helloIn(body: Uint8Array): Hello | null {
  try {
    const message = decodeMessage(body);
    return message.kind === 'hello' ? message : null;
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
