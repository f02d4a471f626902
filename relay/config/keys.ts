import { CATALOGUE } from '../../src/model/index.ts';
import { type Kind, listOf, oneOf, orNone, share, whole, yesOrNo } from './kinds.ts';
import type { RelayConfig } from './types.ts';
import * as kinds from './value-kinds.ts';

/** The parts of the configuration, in the order of the help. `general` holds the keys without a dot. */
export const GROUPS = {
  general: 'Where it listens, what it serves',
  tls: 'HTTPS',
  network: 'The peer-to-peer network',
  hosting: 'Lending layers',
  api: 'The OpenAI API',
  limits: 'What one stranger may take',
  log: 'The log',
} as const;

type Part = Exclude<keyof typeof GROUPS, 'general'>;
type Flat = Exclude<keyof RelayConfig, Part>;

/** Every key as it is written in a file, `network.tcpPort`. */
export type KeyPath = Flat | { [P in Part]: `${P}.${keyof RelayConfig[P] & string}` }[Part];

type ValueAt<P extends KeyPath> = P extends Flat
  ? RelayConfig[P]
  : P extends `${infer G extends Part}.${infer K}`
    ? RelayConfig[G][K & keyof RelayConfig[G]]
    : never;

export interface KeySpec<T> {
  kind: Kind<T>;
  default: T;
  /** One sentence. */
  help: string;
  /** A shorter name for a key of every day: `memory` makes --memory and SHOAL_MEMORY. */
  alias?: string;
}

// As in src/swarm: RELAY_LIMITS, which are not imported here because libp2p takes a second to load.
const PEERS = {
  peers: 2000,
  perAddress: 256,
  perSecond: 50,
  relayedBytes: 2 ** 30,
  relayedSeconds: 12 * 3600,
};

/** Every key, in the order of the help. The file, the variables, the flags, the help and the page in docs/ come from it. */
export const KEYS: { readonly [P in KeyPath]: KeySpec<ValueAt<P>> } = {
  host: { kind: kinds.hostName, default: '0.0.0.0', help: 'Address to listen on.' },
  port: {
    kind: kinds.port,
    default: 8080,
    help: 'Port to listen on, for HTTP(S) and the tabs; 0 for a free one.',
  },
  data: {
    kind: kinds.path,
    default: 'data',
    help: 'Folder for models, the identity and all that survives a restart.',
  },
  url: {
    kind: orNone(kinds.origin, 'none'),
    default: null,
    help: 'Where people reach this relay, when that is not where it listens.',
  },
  models: {
    kind: listOf(kinds.model, { what: 'models', least: 1, most: 32, split: false }),
    default: [CATALOGUE[0].id],
    help: 'Models to serve: GGUF files, folders with safetensors, URLs, or ids of the catalogue.',
    alias: 'model',
  },
  drainSeconds: {
    kind: whole(0, 3600, 'a number of seconds'),
    default: 30,
    help: 'Seconds that a stop may take, to finish what runs.',
  },

  'tls.cert': {
    kind: orNone(kinds.path, 'none'),
    default: null,
    help: 'PEM file of the certificate with its chain; read again when it changes.',
  },
  'tls.key': { kind: orNone(kinds.path, 'none'), default: null, help: 'PEM file of the private key.' },
  'tls.auto': {
    kind: yesOrNo,
    default: false,
    help: "Get a certificate of libp2p.direct from Let's Encrypt; no domain is needed.",
  },

  'network.tcpPort': {
    kind: orNone(kinds.port, 'none'),
    default: null,
    help: 'TCP port for native peers and other relays.',
    alias: 'tcp-port',
  },
  'network.webrtcPort': {
    kind: orNone(kinds.port, 'none'),
    default: null,
    help: 'UDP port on which pages reach this relay without a domain or a certificate (webrtc-direct).',
    alias: 'webrtc-port',
  },
  'network.announce': {
    kind: listOf(kinds.address, { what: 'addresses', most: 32 }),
    default: [],
    help: 'Addresses under which others reach this relay, beside those that it finds itself.',
    alias: 'announce',
  },
  'network.join': {
    kind: listOf(kinds.relay, { what: 'relays', most: 16 }),
    default: [],
    help: 'Other relays to join: their peers and ours find each other.',
    alias: 'join',
  },
  'network.peers': { kind: whole(1, 100_000), default: PEERS.peers, help: 'Peers at once.' },
  'network.peersPerAddress': {
    kind: whole(1, 100_000),
    default: PEERS.perAddress,
    help: 'Peers at once from one address: a school behind one router.',
  },
  'network.joinsPerSecond': {
    kind: whole(1, 10_000),
    default: PEERS.perSecond,
    help: 'New peers per second from one address.',
  },
  'network.relayedBytes': {
    kind: kinds.size('64KiB', '1TiB'),
    default: PEERS.relayedBytes,
    help: 'Bytes of one connection that two peers have through this relay.',
  },
  'network.relayedSeconds': {
    kind: whole(60, 30 * 86_400, 'a number of seconds'),
    default: PEERS.relayedSeconds,
    help: 'Seconds of one such connection.',
  },

  'hosting.layers': {
    kind: kinds.layers,
    default: 'auto',
    help: 'Layers to lend to the network; auto takes as many as fit, where others hold fewest.',
    alias: 'layers',
  },
  'hosting.memory': {
    // Below 16 MB not even one layer of the smallest model in the catalogue fits with its cache.
    kind: orNone(kinds.size('16MB', '16TB'), 'auto'),
    default: null,
    help: 'Memory for lent weights and caches, per device; auto is half of what is free, at most 4GB (CUDA: nine tenths).',
    alias: 'memory',
  },
  'hosting.devices': {
    kind: listOf(kinds.device, { what: 'devices', least: 1, most: 16 }),
    default: ['auto'],
    help: 'Where the layers run; auto takes CUDA where it works.',
    alias: 'devices',
  },
  'hosting.threads': {
    kind: orNone(whole(1, 1024), 'all'),
    default: null,
    help: 'Processor threads for the layers that run on the CPU.',
  },
  'hosting.sessions': { kind: whole(1, 4096), default: 64, help: 'Conversations at once on lent layers.' },

  'api.enabled': { kind: yesOrNo, default: true, help: 'Offer the OpenAI API under /v1.' },
  'api.keys': {
    kind: oneOf('optional', 'required'),
    default: 'optional',
    help: 'Whether a request needs a key; see `shoal-relay keys`.',
  },
  'api.route': {
    kind: oneOf('auto', 'own', 'network'),
    default: 'auto',
    help: 'Who computes: auto asks the peers that share and fills in with the own layers.',
  },
  'api.answers': { kind: whole(1, 4096), default: 32, help: 'Answers at once.' },
  'api.answersPerClient': {
    kind: whole(1, 4096),
    default: 2,
    help: 'Answers at once for one client: a key, or an address without one.',
  },
  'api.waiting': { kind: whole(0, 100_000), default: 256, help: 'Requests that may wait for their turn.' },
  'api.waitingPerClient': {
    kind: whole(0, 100_000),
    default: 16,
    help: 'Requests of one client that may wait.',
  },
  'api.requestsPerMinute': {
    kind: whole(1, 1_000_000),
    default: 120,
    help: 'Requests per minute of one client; a key may have its own number.',
  },
  'api.maxTokens': {
    kind: orNone(whole(16, 1_048_576), 'auto'),
    default: null,
    help: 'Tokens of one conversation with its answer; auto is what the model holds, at most 4096.',
  },
  'api.bodyBytes': { kind: kinds.size('1KB', '64MB'), default: 4e6, help: 'Size of a request.' },

  'limits.connections': { kind: whole(8, 1_000_000), default: 4096, help: 'Sockets at once.' },
  'limits.connectionsPerAddress': {
    kind: whole(1, 1_000_000),
    default: 512,
    help: 'Sockets at once from one address.',
  },
  'limits.requestsPerMinute': {
    kind: whole(1, 10_000_000),
    // A class behind one router: 30 tabs that load a model of 300 tensors each within a minute, with room for others.
    default: 12_000,
    help: "HTTP requests per minute from one address, the API's not counted.",
  },
  'limits.trustedProxies': {
    kind: listOf(kinds.proxy, { what: 'proxies', most: 64 }),
    default: ['loopback'],
    help: 'Proxies whose X-Forwarded-For is believed.',
  },
  'limits.memoryShare': {
    kind: share(0.1, 1),
    default: 0.9,
    help: 'Share of the memory of the machine or container above which new work is refused.',
  },

  'log.level': {
    kind: oneOf('debug', 'info', 'warn', 'error'),
    default: 'info',
    help: 'The least urgent lines to write.',
  },
  'log.format': {
    kind: oneOf('auto', 'text', 'json'),
    default: 'auto',
    help: 'auto writes text on a terminal and JSON elsewhere.',
  },
};

export const KEY_PATHS = Object.keys(KEYS) as KeyPath[];

export function isKey(path: string): path is KeyPath {
  return Object.hasOwn(KEYS, path);
}

export function groupOf(path: KeyPath): keyof typeof GROUPS {
  return path.includes('.') ? (path.slice(0, path.indexOf('.')) as Part) : 'general';
}
