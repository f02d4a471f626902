import type { Clock, PeerAddress, Transport } from '../swarm/index.ts';
import { decodeMessage, encodeMessage, type Hello, PROTOCOL_VERSION, WireError } from '../wire/index.ts';

/** Milliseconds that a peer has to greet back, the making of the link included: a direct one takes up to a second. */
const GREET_MS = 3_000;

/** A peer that answered, and what it said. */
export interface Greeted {
  peer: string;
  hello: Hello;
}

export interface GreetOptions {
  /** Program and version of this peer. */
  agent: string;
  signal: AbortSignal;
  /** Ask also whom they are linked to. */
  links?: boolean;
}

/** Asks peers what they lend; one that does not answer in time, or speaks another version, is left out. */
export async function greetAll(
  { transport, clock }: { transport: Transport; clock: Clock },
  peers: readonly PeerAddress[],
  { agent, signal, links = false }: GreetOptions,
): Promise<Greeted[]> {
  const names = new Set(peers.map(({ peer }) => peer));
  const expected = new Map<number, { peer: string; take: (hello: Hello) => void }>();
  const stop = transport.listen({
    frame(from, body) {
      // The frames of everybody else, which may be large, are not even read.
      if (!names.has(from)) return;
      const hello = helloIn(body);
      if (!hello || hello.ask || hello.nonce === undefined) return;
      const waiting = expected.get(hello.nonce);
      if (waiting?.peer === from) waiting.take(hello);
    },
    gone() {},
  });
  const control = new AbortController();
  // Not AbortSignal.any: a signal that lives as long as the program would remember every greeting.
  const abort = () => control.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const given = new Promise<null>((resolve) => {
    control.signal.addEventListener('abort', () => resolve(null), { once: true });
    if (signal.aborted) resolve(null);
  });
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
        const frame = encodeMessage({
          kind: 'hello',
          peer_id: transport.publicKey,
          proto_ver: PROTOCOL_VERSION,
          supported_quants: [],
          ask: true,
          nonce: first + i,
          agent,
          ...(links && { want_links: true }),
        });
        transport.send(address, frame, { signal: control.signal }).catch(() => resolve(null));
      }),
  );
  const cancel = clock.after(GREET_MS, () => control.abort());
  try {
    const answers = await Promise.all(asked.map((answer) => Promise.race([answer, given])));
    return answers.filter((answer) => answer !== null);
  } finally {
    cancel();
    signal.removeEventListener('abort', abort);
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
