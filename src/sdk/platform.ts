import type { Engine, LoadOptions } from '../engine/index.ts';
import type { ByteSource, ModelStore, WeightsLocation } from '../model/index.ts';
import type { RelaySource, Swarm } from '../swarm/index.ts';
import type { IceServer, StorageUse } from './types.ts';

/** A store with the way to tell an engine's worker where it is. */
export interface OpenStore {
  store: ModelStore;
  kind: StorageUse['kind'];
  location: WeightsLocation;
  /** Why nothing survives a reload, null when it does. */
  notice: string | null;
}

/** Small values that survive a reload. */
export interface Keep {
  get(name: string): string | null;
  set(name: string, value: string): void;
}

export interface SwarmOptions {
  relays: readonly RelaySource[];
  iceServers: readonly IceServer[];
}

/** What a browser tells of the device; every part of it may be missing or rounded. */
export interface DeviceFacts {
  /** Bytes of memory, rounded; null when it does not tell. */
  memoryBytes: number | null;
  /** It tells no larger number than this. */
  memoryMayBeMore: boolean;
  /** A GPU that WebGPU can use, and the largest buffer there; null when there is none, or only an emulated one. */
  gpu: { maxBufferBytes: number } | null;
}

/** What the sdk needs of the machine around it; a tab has one (web.ts), tests in Node have another. */
export interface Platform {
  fetch: typeof fetch;
  openStore(): Promise<OpenStore>;
  /** A store that forgets, for when the other has no room. */
  openMemory(notice: string): OpenStore;
  openUrl(url: URL, signal?: AbortSignal): Promise<ByteSource>;
  loadEngine(options: LoadOptions): Promise<Engine>;
  /** Joins the network. The libp2p code is loaded by this, not before. */
  openSwarm(options: SwarmOptions): Promise<Swarm>;
  /** Never rejects, and takes no longer than asking for a GPU. */
  device(): Promise<DeviceFacts>;
  keep: Keep;
  /** Runs `work` while no other tab runs one of the same name. */
  lock<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** Milliseconds. */
  now(): number;
}
