/** The page of the network bench: one peer, driven from outside. It is made of the rooms, without sdk/ and app/. */
import { createHost, type Host, type HostCounters } from '../../../src/host/index.ts';
import type { PeerAddress, Swarm } from '../../../src/swarm/index.ts';
import { createTabSwarm } from '../../../src/swarm/web.ts';
import { answerEchoes, echoTrips } from '../echo.ts';
import { bareChannels } from './bare.ts';
import { type ChainRequest, type ChainRun, Client, type RunRequest } from './client.ts';
import { AGENT, HOST_MEMORY, MAX_TOKENS } from './limits.ts';
import { TabModel } from './model.ts';

let swarm: Swarm | null = null;
let model: TabModel | null = null;
let host: Host | null = null;
let client: Client | null = null;

function need<T>(value: T | null, first: string): T {
  if (value === null) throw new Error(`${first} first`);
  return value;
}

const peer = {
  bare: bareChannels,

  /** @param relay its multiaddr */
  async join(relay: string): Promise<PeerAddress> {
    swarm = await createTabSwarm({ relays: [relay] });
    await swarm.ready;
    return { peer: swarm.peer, addrs: swarm.transport.addresses() };
  },

  echo(): void {
    answerEchoes(need(swarm, 'join').transport);
  },

  trips: (to: PeerAddress, bytes: number, count: number): Promise<number[]> =>
    echoTrips(need(swarm, 'join').transport, to, bytes, count),

  /** How the link to a peer travels; `none` when there is none. */
  path: (to: string): string => need(swarm, 'join').transport.link(to)?.path ?? 'none',

  /** @param encoded the manifest in its canonical form; @param file where the model file is served */
  async openModel(encoded: string, cid: string, file: string): Promise<void> {
    model = await TabModel.open(encoded, cid, file);
  },

  /** Resolves when the layers are announced. */
  async lend(start: number, end: number): Promise<void> {
    const { transport, directory, clock } = need(swarm, 'join');
    const lent = need(model, 'open a model');
    host = createHost({ transport, directory, clock, agent: AGENT });
    await host.lend({
      cid: lent.cid,
      layers: lent.manifest.config.layers,
      ...{ start, end, main: { start, end, embed: false, head: false } },
      load: (part) => lent.engine(part, MAX_TOKENS),
      memoryBudget: HOST_MEMORY,
    });
  },

  counters: (): HostCounters => need(host, 'lend').status().counters,

  async loadClient(): Promise<void> {
    client = new Client(need(swarm, 'join'), need(model, 'open a model'));
    await client.load();
  },

  openChain: (chain: ChainRequest): Promise<void> => need(client, 'load the client').open(chain),
  start: (run: RunRequest): void => need(client, 'load the client').start(run),
  count: (): number => need(client, 'load the client').count,
  finish: (): Promise<ChainRun> => need(client, 'load the client').finish(),

  /** Times of asking the DHT for the holders of the layers. @returns milliseconds of each, and whom the last found */
  async find(start: number, end: number, count: number): Promise<{ times: number[]; peers: string[] }> {
    const { directory } = need(swarm, 'join');
    const { cid, manifest } = need(model, 'open a model');
    const times: number[] = [];
    let peers: string[] = [];
    for (let i = 0; i < count; i++) {
      const before = performance.now();
      const found = await directory.holders({ cid, layers: manifest.config.layers }, { start, end });
      times.push(performance.now() - before);
      peers = found.map((holder) => holder.peer);
    }
    return { times, peers };
  },
};

declare global {
  interface Window {
    peer: typeof peer;
  }
}
window.peer = peer;
