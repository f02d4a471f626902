import { loadSlice, nodePlatform } from '../../engine/node.ts';
import {
  encodeManifest,
  type Manifest,
  MemorySource,
  MemoryStore,
  makeManifest,
  openModelFiles,
} from '../../model/index.ts';
import { type Clock, type Swarm, systemClock } from '../../swarm/index.ts';
import { MemoryNetwork } from '../../swarm/testing/memory.ts';
import { openShoal, type Platform, type Shoal, type ShoalOptions } from '../index.ts';

const RELAY = 'http://relay.test/';

/** A relay's files and tabs around it, in one process: real engines, real chains, links in memory. */
export class Tabs {
  readonly network = new MemoryNetwork();
  /** Of the tabs that are opened from now on. */
  clock: Clock = systemClock;
  readonly #files: Map<string, Uint8Array>;
  readonly #open: Shoal[] = [];
  #next = 0;

  private constructor(
    readonly cid: string,
    readonly manifest: Manifest,
    files: Map<string, Uint8Array>,
  ) {
    this.#files = files;
  }

  /** @param gguf a whole model file */
  static async around(gguf: Uint8Array): Promise<Tabs> {
    const opened = await openModelFiles([new MemorySource('tiny.gguf', gguf)]);
    const { manifest, cid } = await makeManifest(opened);
    const list = [
      {
        id: 'tiny',
        cid,
        name: manifest.name,
        layers: manifest.config.layers,
        bytes: gguf.length,
        license: null,
        manifest: 'models/tiny/manifest.json',
        files: ['models/tiny/tiny.gguf'],
      },
    ];
    const files = new Map([
      ['/models/index.json', new TextEncoder().encode(JSON.stringify(list))],
      ['/models/tiny/manifest.json', encodeManifest(manifest)],
      ['/models/tiny/tiny.gguf', gguf],
    ]);
    return new Tabs(cid, manifest, files);
  }

  /** A tab with an empty store, which loads nothing by itself. */
  open(options: ShoalOptions = {}, change: Partial<Platform> = {}): Tab {
    const peer = `peer${this.#next++}`;
    const store = new MemoryStore();
    const fetched = { bytes: 0 };
    const platform = { ...this.#platform(peer, store, fetched), ...change };
    const shoal = openShoal(platform, new URL(RELAY), { model: false, threads: 1, ...options });
    this.#open.push(shoal);
    return { shoal, peer, fetched, kill: () => this.network.kill(peer) };
  }

  /** The relay's small files, as a tab fetches them. */
  readonly fetch: typeof fetch = async (url) => new Response(this.#file(new URL(`${url}`)).slice());

  #file(url: URL): Uint8Array {
    const bytes = this.#files.get(url.pathname);
    if (!bytes) throw new Error(`There is no ${url.href}.`);
    return bytes;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map((shoal) => shoal.dispose()));
  }

  #platform(peer: string, store: MemoryStore, fetched: { bytes: number }): Platform {
    const opened = () => ({
      store,
      kind: 'memory' as const,
      location: { kind: 'memory' as const, tensors: store.tensors },
      notice: null,
    });
    const kept = new Map<string, string>();
    const file = (url: URL) => this.#file(url);
    return {
      fetch: this.fetch,
      openStore: async () => opened(),
      openMemory: opened,
      openUrl: async (url) => {
        const source = new MemorySource('tiny.gguf', file(url));
        const read = source.read.bind(source);
        source.read = (offset, length, signal) => {
          fetched.bytes += length;
          return read(offset, length, signal);
        };
        return source;
      },
      openSwarm: async () => this.#swarm(peer),
      // Without a worker thread per engine: these models take microseconds.
      loadEngine: (options) => loadSlice(nodePlatform, options),
      device: async () => ({ memoryBytes: 8 * 2 ** 30, memoryMayBeMore: true, gpu: null }),
      keep: { get: (name) => kept.get(name) ?? null, set: (name, value) => void kept.set(name, value) },
      lock: (_name, _signal, work) => work(),
      now: () => performance.now(),
    };
  }

  #swarm(peer: string): Swarm {
    return {
      peer,
      transport: this.network.join(peer),
      directory: this.network.directory(peer),
      clock: this.clock,
      ready: Promise.resolve(),
      status: () => ({ relay: 'connected', relays: [], addresses: [`/memory/${peer}`] }),
      subscribe: () => () => {},
      close: async (reason) => this.network.kill(peer, reason),
    };
  }
}

export interface Tab {
  shoal: Shoal;
  peer: string;
  /** Bytes of model files that it read from the relay. */
  fetched: { bytes: number };
  /** As a closed tab ends. */
  kill(): void;
}
