/** Which layers are lent to the network. A range is half-open, `[start, end)`. */
export type LayersWanted = 'auto' | 'all' | 'none' | { start: number; end: number };

/** Where an engine runs: `auto` takes CUDA where it works and says why where it does not. */
export type DeviceWanted = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`;

/** Everything an operator can set, checked. Every key is in `keys.ts`, with its default, its limits and its help. */
export interface RelayConfig {
  /** Address and port of the HTTP(S) server, which also takes the tabs' WebSockets. Port 0 picks a free one. */
  host: string;
  port: number;
  /** Folder for everything that survives a restart. */
  data: string;
  /** Where people reach this relay, as `https://shoal.example.org/`; null when it is only reached where it listens. */
  url: string | null;
  /** Files, folders, URLs or catalogue ids; the catalogue's first by default. */
  models: string[];
  tls: {
    /** PEM files; both or none. Read again when they change. */
    cert: string | null;
    key: string | null;
    /** A certificate of `*.libp2p.direct` for this peer id, from Let's Encrypt. */
    auto: boolean;
  };
  network: {
    /** TCP port for native peers and other relays; null for none, 0 for any. */
    tcpPort: number | null;
    /** UDP port of webrtc-direct; null for none, 0 for any. */
    webrtcPort: number | null;
    /** Multiaddrs under which others reach this relay, beside those that it finds itself. */
    announce: string[];
    /** Other relays: http(s) addresses or multiaddrs with a peer id. */
    join: string[];
    /** Peers in all, per address, and new ones per second from one address. */
    peers: number;
    peersPerAddress: number;
    joinsPerSecond: number;
    /** Bytes and seconds of one relayed connection. */
    relayedBytes: number;
    relayedSeconds: number;
  };
  hosting: {
    layers: LayersWanted;
    /** Bytes for weights and caches; null for half of what is free, at most 4 GB (on CUDA: nine tenths of what is free there). */
    memory: number | null;
    devices: DeviceWanted[];
    /** Threads of a CPU engine; null for all. */
    threads: number | null;
    /** Conversations at once. */
    sessions: number;
  };
  api: {
    enabled: boolean;
    /** `required`: nobody without a key. `optional`: without one the limits per address count. */
    keys: 'optional' | 'required';
    /** `auto`: over the peers that share, where there are any, with the own layers filling in; see `answers/types.ts`. */
    route: 'auto' | 'own' | 'network';
    /** Answers at once in all, and of one client (a key, or an address without one). */
    answers: number;
    answersPerClient: number;
    /** Requests that may wait, in all and of one client. */
    waiting: number;
    waitingPerClient: number;
    /** Requests per minute of one client; a key may have its own. */
    requestsPerMinute: number;
    /** Tokens of one conversation, its answer included; null for what the model holds, at most 4096. */
    maxTokens: number | null;
    /** Bytes of a request's body. */
    bodyBytes: number;
  };
  limits: {
    /** Sockets in all and per address. */
    connections: number;
    connectionsPerAddress: number;
    /** HTTP requests per minute from one address, the API's excluded. */
    requestsPerMinute: number;
    /** Proxies whose X-Forwarded-For is believed: addresses, networks (CIDR), or `loopback`. */
    trustedProxies: string[];
    /** Work that would take the process above this share of the memory it may use is refused. 0 to 1. */
    memoryShare: number;
  };
  log: {
    level: 'debug' | 'info' | 'warn' | 'error';
    /** `auto`: text on a terminal, JSON elsewhere. */
    format: 'auto' | 'text' | 'json';
  };
  /** Seconds that a stop may take: answers and sessions that run are finished, new ones refused. */
  drainSeconds: number;
}
