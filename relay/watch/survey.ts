import { type Greeted, greetAll } from '../../src/host/index.ts';
import {
  type Clock,
  type Directory,
  gridCells,
  type LayerRange,
  type Transport,
} from '../../src/swarm/index.ts';
import type { LinkReport } from '../../src/wire/index.ts';

/** How often the directory is asked; for the relay it lies in memory. Milliseconds. */
const LOOK_MS = 1_000;
/** A peer is asked what it lends when it is new, and then this often. Milliseconds. */
const ASK_AGAIN_MS = 5_000;
/** One that did not answer is left alone for this long. Milliseconds. */
const SILENT_MS = 30_000;
/** Asked in one look: 32 small frames. */
const MOST_AT_ONCE = 32;
/** Peers that are asked again and again; each costs a link with its heartbeat. For others the directory's word is taken. */
const MOST_LINKED = 256;
/** Peers known of. */
const MOST_HOSTS = 2_000;
/** Models looked for: each is nine keys. */
const MOST_MODELS = 32;
/** The directory may ask other relays, which may hang. Milliseconds. */
const DIRECTORY_MS = 4_000;

export interface SeenSlice extends LayerRange {
  cid: string;
}

export interface SeenHost {
  peer: string;
  slices: SeenSlice[];
  /** False: taken from the grid cells of its records, which may be a few layers more than it has. */
  exact: boolean;
  sessions: number | null;
  /** Whom it is linked to, as it says, at most 64; empty for one that was not asked. */
  links: readonly LinkReport[];
}

export interface SurveyOptions {
  transport: Transport;
  directory: Directory;
  clock: Clock;
  agent: string;
  models: () => readonly { cid: string; layers: number }[];
}

interface Told {
  /** By the clock: when it was asked last. */
  asked: number;
  slices: SeenSlice[] | null;
  sessions: number;
  links: readonly LinkReport[];
}

/**
 * Who lends layers of the models served here, looked at once a second: the directory names the hosts, and those that
 * are connected to this relay are asked what exactly they hold and whom they are linked to. This relay itself is left out.
 */
export class Survey {
  #hosts: SeenHost[] = [];
  readonly #told = new Map<string, Told>();
  readonly #stopped = new AbortController();
  #cancel = () => {};

  constructor(private readonly options: SurveyOptions) {}

  /** What was seen last. */
  hosts(): readonly SeenHost[] {
    return this.#hosts;
  }

  /** Looks now, and then once a second. */
  start(): void {
    const again = () => {
      if (!this.#stopped.signal.aborted) this.#cancel = this.options.clock.after(LOOK_MS, () => this.start());
    };
    void this.look().then(again, again);
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancel();
  }

  /** One look. Never rejects for what a peer or the directory does. */
  async look(): Promise<void> {
    const models = this.options.models().slice(0, MOST_MODELS);
    const found = await this.#holders(models);
    for (const peer of this.#told.keys()) if (!found.has(peer)) this.#told.delete(peer);
    // A new host is seen at once, before those that are silent have had their time to answer.
    this.#hosts = this.#seen(found);
    await this.#ask([...found.keys()], models);
    this.#hosts = this.#seen(found);
  }

  #seen(found: ReadonlyMap<string, SeenSlice[]>): SeenHost[] {
    return [...found].flatMap(([peer, listed]) => {
      const told = this.#told.get(peer);
      if (!told?.slices) return { peer, slices: listed, exact: false, sessions: null, links: [] };
      // It lends nothing any more, or it drains; its records live a little longer.
      if (told.slices.length === 0) return [];
      return { peer, slices: told.slices, exact: true, sessions: told.sessions, links: told.links };
    });
  }

  /** Peers by the directory, with the grid cells under which they are found. */
  async #holders(models: readonly { cid: string; layers: number }[]): Promise<Map<string, SeenSlice[]>> {
    const found = new Map<string, SeenSlice[]>();
    await Promise.all(
      models.flatMap((model) =>
        gridCells(model.layers).map(async (cell) => {
          for (const { peer } of await this.#listed(model, cell)) {
            if (peer === this.options.transport.self) continue;
            const slices = found.get(peer) ?? [];
            if (slices.length === 0 && found.size >= MOST_HOSTS) continue;
            found.set(peer, slices);
            slices.push({ cid: model.cid, ...cell });
          }
        }),
      ),
    );
    return new Map([...found].map(([peer, cells]) => [peer, joined(cells)]));
  }

  async #listed(model: { cid: string; layers: number }, cell: LayerRange): Promise<{ peer: string }[]> {
    const { directory, clock } = this.options;
    const late = new AbortController();
    const abort = () => late.abort();
    const cancel = clock.after(DIRECTORY_MS, abort);
    const stopped = this.#stopped.signal;
    stopped.addEventListener('abort', abort);
    try {
      const nobody = new Promise<[]>((resolve) => {
        late.signal.addEventListener('abort', () => resolve([]), { once: true });
        if (stopped.aborted) abort();
      });
      return await Promise.race([directory.holders(model, cell, { signal: late.signal }), nobody]);
    } catch {
      // Nobody is found this time; the next look is a second away.
      return [];
    } finally {
      cancel();
      stopped.removeEventListener('abort', abort);
    }
  }

  async #ask(peers: readonly string[], models: readonly { cid: string; layers: number }[]): Promise<void> {
    const { transport, clock, agent } = this.options;
    const now = clock.now();
    let places = MOST_LINKED - [...this.#told.values()].filter(({ slices }) => slices).length;
    const asked = peers
      .map((peer) => ({ peer, told: this.#told.get(peer) }))
      .filter(({ told }) => !told || now - told.asked >= (told.slices ? ASK_AGAIN_MS : SILENT_MS))
      // Who was never asked comes first: then the places are not taken by those that are silent again and again.
      .sort((a, b) => (a.told?.asked ?? -Infinity) - (b.told?.asked ?? -Infinity))
      .filter(({ told }) => told?.slices || places-- > 0)
      .slice(0, MOST_AT_ONCE)
      .map(({ peer }) => peer);
    for (const peer of asked) {
      const told = this.#told.get(peer) ?? { asked: now, slices: null, sessions: 0, links: [] };
      told.asked = now;
      this.#told.set(peer, told);
    }
    if (asked.length === 0) return;
    const greeted = await greetAll(
      { transport, clock },
      // Without addresses, so that nobody is dialled for a look: who is connected has a connection.
      asked.map((peer) => ({ peer, addrs: [] })),
      // At most 32 answers of some 5 KB each in a second.
      { agent, signal: this.#stopped.signal, links: true },
    );
    const answers = new Map(greeted.map(({ peer, hello }) => [peer, hello]));
    for (const peer of asked) {
      const hello = answers.get(peer);
      const told = this.#told.get(peer);
      if (!told) continue;
      told.slices = hello ? slicesIn(hello, models) : null;
      told.sessions = (hello?.offers ?? []).reduce((sum, { sessions }) => sum + sessions, 0);
      told.links = hello?.links ?? [];
    }
  }
}

/** What a peer offers of these models. One that drains takes nobody, so it does not count. */
function slicesIn(hello: Greeted['hello'], models: readonly { cid: string; layers: number }[]): SeenSlice[] {
  const layersOf = new Map(models.map(({ cid, layers }) => [cid, layers]));
  return (hello.offers ?? [])
    .filter(({ cid, start, end, draining }) => {
      return !draining && start >= 0 && start < end && end <= (layersOf.get(cid) ?? 0);
    })
    .map(({ cid, start, end }) => ({ cid, start, end }));
}

/** Cells that touch each other become one range. */
function joined(cells: readonly SeenSlice[]): SeenSlice[] {
  const ranges: SeenSlice[] = [];
  for (const cell of [...cells].sort((a, b) =>
    a.cid < b.cid ? -1 : a.cid > b.cid ? 1 : a.start - b.start,
  )) {
    const last = ranges.at(-1);
    if (last?.cid === cell.cid && last.end === cell.start) last.end = cell.end;
    else ranges.push({ ...cell });
  }
  return ranges;
}
