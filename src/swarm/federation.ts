import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { checkedAddresses, hostOf, pathOf, peerOf, readAddress } from './addresses.ts';
import { JOIN_PROTOCOL, MAX_JOINED, MAX_JOINTS } from './federation-limits.ts';
import { ForeignRecords } from './foreign-records.ts';
import { Refused } from './gater.ts';
import type { JoinHello } from './join-messages.ts';
import { joinSource } from './join-source.ts';
import { Joint } from './joint.ts';
import { DIAL_MS } from './limits.ts';
import { serveNamed } from './named-relays.ts';
import type { Provider } from './provider-records.ts';
import { Redial } from './redial.ts';
import type { JoinedRelayStatus, NamedRelay } from './relay-address.ts';
import { addressesOf, isDialable, relayOn } from './relay-addresses.ts';
import type { RelaySource } from './swarm.ts';
import { type Clock, TransportError } from './types.ts';
import { until } from './until.ts';

export interface FederationOptions {
  clock: Clock;
  /** Relays to be joined: http(s) addresses, multiaddrs with a peer id, or something that asks for one. */
  join: readonly RelaySource[];
  /** Multiaddrs under which others reach this relay. */
  addresses: () => readonly string[];
  /** Port of this relay's WebSockets without TLS; null when there is none. */
  port: () => number | null;
  /** Own records of a key, a multihash in hexadecimal. */
  own: (key: string) => Provider[];
}

/** A relay that is told to be joined. */
interface Target {
  given: string;
  source: RelaySource;
  redial: Redial;
  address: Multiaddr | null;
}

/** A relay that there is a stream with. */
interface Joined {
  peer: string;
  /** Host of its connection, as seen here. */
  seen: string | undefined;
  dialled: Multiaddr | null;
  addresses: string[];
  joints: Set<Joint>;
}

const STREAMS = { maxInboundStreams: 1, maxOutboundStreams: 1 };
const LOOPBACK = /^127\.|^::1$/;

/**
 * The relays that this one joined, or that joined it: their hosts are found here, and ours there. Records are not
 * copied, because only the relay that is connected to a host knows whether it lives: each question is passed to the
 * joined relays, and they answer from their own records. So a question goes one step and never in a circle.
 */
export class Federation {
  readonly #node: Libp2p;
  readonly #options: FederationOptions;
  readonly #self: string;
  readonly #targets: Target[];
  readonly #joined = new Map<string, Joined>();
  readonly #refused: Refused;
  /** What is dialled at this moment: nothing else may be. */
  readonly #dialling = new Set<string>();
  readonly #records: ForeignRecords;
  #closed = false;

  /** @throws TransportError `no-relay` for what cannot be joined, or too many of them */
  constructor(node: Libp2p, options: FederationOptions) {
    this.#node = node;
    this.#options = options;
    this.#self = node.peerId.toString();
    this.#refused = new Refused(() => options.clock.now());
    if (options.join.length > MAX_JOINED)
      throw new TransportError('no-relay', `At most ${MAX_JOINED} relays can be joined.`);
    this.#targets = options.join.map((source) => this.#target(source));
    this.#records = new ForeignRecords(options.clock, this.#self, () => this.#ready());
  }

  /** Begins to take who joins and to dial who is to be joined. */
  async start(): Promise<void> {
    await this.#node.handle(JOIN_PROTOCOL, (stream, connection) => this.#accept(stream, connection), STREAMS);
    await serveNamed(this.#node, () => this.named());
    this.#node.addEventListener('self:peer:update', () => {
      for (const { joints } of this.#joined.values()) for (const joint of joints) joint.greet();
    });
    for (const { redial } of this.#targets) redial.start();
  }

  status(): JoinedRelayStatus[] {
    const targets = this.#targets.map(({ given, address, redial }) => ({
      peer: (address && peerOf(address)) ?? '',
      address: address?.toString() ?? given,
      state: redial.state,
      outbound: true,
      reason: redial.reason,
    }));
    const told = new Set(targets.map(({ peer }) => peer));
    const others = this.#ready().filter(({ peer }) => !told.has(peer));
    return [
      ...targets,
      ...others.map(({ peer, addresses }) => ({
        peer,
        address: addresses[0] ?? '',
        state: 'connected' as const,
        outbound: false,
        reason: null,
      })),
    ];
  }

  /** Joined relays that peers can dial, for the own peers. */
  named(): NamedRelay[] {
    return this.#ready()
      .filter(({ addresses }) => addresses.length > 0)
      .map(({ peer, addresses }) => ({ peer, addresses: [...addresses] }));
  }

  /** What the joined relays know of a key. Never rejects, and takes a second at most. */
  providers(key: string): Promise<readonly Provider[]> {
    return this.#records.get(key);
  }

  /** Ways of this relay to a peer: only through joined relays, whose connections are there. */
  ways(peer: string, addrs: readonly string[]): string[] {
    const named = new Set(checkedAddresses(peer, addrs).map(relayOn));
    const all = this.#ready().map((joined) => joined.peer);
    const through = addrs.length > 0 ? all.filter((relay) => named.has(relay)) : all;
    return through.map((relay) => `/p2p/${relay}/p2p-circuit/p2p/${peer}`);
  }

  /** For the gater: what `ways` gives, and the relays that are being dialled. */
  mayDial(address: Multiaddr): boolean {
    if (this.#dialling.has(address.toString())) return true;
    const [first, second] = address.getComponents();
    return (
      first?.name === 'p2p' &&
      second?.name === 'p2p-circuit' &&
      pathOf(address) === 'relayed' &&
      this.#joined.has(first.value ?? '')
    );
  }

  close(): void {
    this.#closed = true;
    for (const { redial } of this.#targets) redial.stop();
    for (const { joints } of this.#joined.values())
      for (const joint of [...joints]) joint.end('the relay stops');
  }

  #ready(): Joined[] {
    return [...this.#joined.values()].filter(({ joints }) => [...joints].some(({ ready }) => ready));
  }

  #target(given: RelaySource): Target {
    const source = typeof given === 'string' ? joinSource(given) : given;
    const target: Target = {
      given: typeof given === 'string' ? given : '',
      source,
      address: typeof source === 'string' ? readAddress(source) : null,
      redial: new Redial({ attempt: (up, over) => this.#keep(target, up, over), changed: () => {} }),
    };
    return target;
  }

  async #keep(target: Target, up: () => void, over: AbortSignal): Promise<void> {
    const deadline = AbortSignal.timeout(DIAL_MS);
    const { source } = target;
    if (typeof source !== 'string') {
      // An old address is not dialled on when the relay cannot be asked any more.
      target.address = readAddress(await until(source(deadline), deadline, over));
    }
    const { address } = target;
    if (!address || !isDialable(address))
      throw new TransportError('no-relay', 'It gave no address that can be dialled.');
    const connection = await this.#dial(address, deadline, over);
    const stream = await connection.newStream(JOIN_PROTOCOL, { signal: deadline });
    const { joint, over: parted } = this.#join(stream, connection, address, up);
    joint.greet();
    const reason = await until(parted, over).finally(() => joint.end('the relay stops'));
    throw new TransportError('gone', `The relays parted: ${reason}.`);
  }

  async #dial(address: Multiaddr, deadline: AbortSignal, over: AbortSignal): Promise<Connection> {
    if (peerOf(address) === this.#self)
      throw new TransportError('no-relay', 'That is this very relay; take it from the list.');
    const text = address.toString();
    this.#dialling.add(text);
    try {
      return await until(this.#node.dial(address, { signal: deadline }), deadline, over);
    } finally {
      this.#dialling.delete(text);
    }
  }

  #accept(stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer.toString();
    const refusal = this.#refusal(peer, hostOf(connection.remoteAddr));
    if (refusal !== null) stream.abort(new Error(refusal));
    else this.#join(stream, connection, null, () => {}).joint.greet();
  }

  /** Why a relay that comes by itself is not taken. One that we were told to join always has its place. */
  #refusal(peer: string, seen: string | undefined): string | null {
    if (this.#closed) return 'This relay stops.';
    if (this.#refused.has(peer)) return 'This relay was sent what no relay sends.';
    const known = this.#joined.get(peer);
    if (known) return null;
    const targets = new Set(this.#targets.map(({ address }) => address && peerOf(address)));
    if (targets.has(peer)) return null;
    const others = [...this.#joined.values()].filter((joined) => !targets.has(joined.peer));
    if (this.#targets.length + others.length >= MAX_JOINED)
      return 'This relay has joined as many as it takes.';
    // One machine is one relay; behind a reverse proxy all come from the loopback.
    const same = others.some((joined) => joined.seen === seen);
    return same && seen !== undefined && !LOOPBACK.test(seen)
      ? 'A relay of that address is joined already.'
      : null;
  }

  #join(
    stream: Stream,
    { remotePeer, remoteAddr }: Connection,
    dialled: Multiaddr | null,
    up: () => void,
  ): { joint: Joint; over: Promise<string> } {
    const peer = remotePeer.toString();
    const joined: Joined = this.#joined.get(peer) ?? {
      peer,
      seen: hostOf(remoteAddr),
      dialled,
      addresses: [],
      joints: new Set(),
    };
    joined.dialled ??= dialled;
    this.#joined.set(peer, joined);
    let parted: (reason: string) => void = () => {};
    const over = new Promise<string>((resolve) => {
      parted = resolve;
    });
    const joint: Joint = new Joint(stream, {
      clock: this.#options.clock,
      hello: () => this.#hello(),
      told: (hello) => {
        joined.addresses = addressesOf(peer, hello, joined.seen, joined.dialled);
        up();
      },
      own: this.#options.own,
      over: (reason, broke) => {
        joined.joints.delete(joint);
        if (joined.joints.size === 0 && this.#joined.get(peer) === joined) this.#joined.delete(peer);
        if (broke) this.#refused.add(peer);
        parted(reason);
      },
    });
    joined.joints.add(joint);
    // It was restarted, and this side has not noticed yet.
    const [oldest] = joined.joints;
    if (joined.joints.size > MAX_JOINTS) oldest?.end('it joined anew');
    return { joint, over };
  }

  #hello(): JoinHello {
    const addresses = this.#options.addresses().slice(0, 8);
    return { kind: 'hello', addresses, port: this.#options.port() };
  }
}
