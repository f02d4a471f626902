import type { Engine, LoadProgress } from '../../src/engine/index.ts';
import { BLOCK_TOKENS, type Host, type LentSlice } from '../../src/host/index.ts';
import { type Manifest, parseManifest } from '../../src/model/index.ts';
import { gridCells, type LayerRange, type Swarm } from '../../src/swarm/index.ts';
import { formatBytes, ProgressBar } from '../progress.ts';
import type { ServedModel } from '../shelf.ts';
import type { Device } from './devices.ts';
import { HostingError } from './errors.ts';
import { Lender } from './lender.ts';
import { lentSlice } from './lent-slice.ts';
import type { Claim } from './memory.ts';
import { mainPart, Needs } from './need.ts';
import type { OwnSlice } from './own-use.ts';
import { type Placement, place } from './place.ts';
import { type HostingOptions, numbersOf, type Tools } from './tools.ts';

/** Milliseconds that the directory may take to say who holds which layers; without an answer nobody does. */
const DIRECTORY_MS = 5_000;

/** A model, and all that is needed to run layers of it. */
export interface ModelAtHand {
  model: ServedModel;
  manifest: Manifest;
  devices: readonly Device[];
  needs: Needs;
  tools: Tools;
}

/** Reads the manifest and looks again at what memory is free. @throws ModelError */
export async function openModel(
  model: ServedModel,
  devices: readonly Device[],
  tools: Tools,
  options: HostingOptions,
): Promise<ModelAtHand> {
  const manifest = await parseManifest(model.manifest, model.cid);
  await Promise.all(devices.map(({ memory }) => memory.refresh()));
  return { model, manifest, devices, tools, needs: new Needs(manifest, numbersOf(options), tools.estimate) };
}

export interface LendOptions extends ModelAtHand {
  host: Host;
  swarm: Pick<Swarm, 'transport' | 'directory' | 'clock'>;
  options: HostingOptions;
  signal: AbortSignal;
}

/**
 * Chooses the layers of a model that are lent, and where they run; one lender for each device, to be started.
 * @throws HostingError `bad-layers`, `no-memory`
 */
export async function lendModel(at: LendOptions): Promise<Lender[]> {
  const { model, devices, needs, options } = at;
  const { layers } = options.config;
  if (layers === 'none') return [];
  const placements = place({
    model,
    layers,
    needs,
    devices,
    holders: layers === 'auto' ? await holdersOf(at) : () => 0,
    random: options.random ?? Math.random,
  });
  return placements.map((placement) => makeLender(placement, at));
}

function makeLender(placement: Placement, at: LendOptions): Lender {
  const { model, host, swarm, options } = at;
  const { device } = placement;
  const claim = device.memory.claim(placement.floor);
  const log = options.log.with({ model: model.cid, device: device.name });
  // Lines, not a bar that is redrawn: another model may be on its way, with a bar of its own.
  const bar = new ProgressBar(`Loading layers of ${model.name}`, {
    write: (text) => log.info(text.trimEnd()),
  });
  const lender: Lender = new Lender({
    host,
    clock: swarm.clock,
    name: model.name,
    log,
    meters: options.meters,
    room: () => roomOf(host, lender.slice, options.config.sessions),
    onEnd: () => claim.release(),
    slice: lentSlice({
      ...at,
      range: placement,
      main: mainPart(placement),
      device,
      claim,
      numbers: numbersOf(options),
      threads: options.config.threads,
      loadEngine: at.tools.loadEngine,
      onProgress: ({ stage, done, total }: LoadProgress) => {
        if (stage === 'reading') bar.update(done, total);
      },
      onLoaded: (engine) => compare(engine, placement, at, claim),
    }),
  });
  return lender;
}

/** A slice for this relay's own chains on the device with the most room, or why there is none. */
export async function makeOwn(
  at: ModelAtHand & { range: LayerRange; options: HostingOptions },
): Promise<OwnSlice | { problem: HostingError; hopeless: boolean }> {
  const { range, devices, needs, options } = at;
  const [device] = [...devices].sort((a, b) => b.memory.left - a.memory.left);
  const { weights, conversation } = needs.of(range, device!, { ends: false });
  const floor = weights + conversation;
  const { left, total } = device!.memory;
  if (floor > left)
    return {
      hopeless: floor > total,
      problem: new HostingError(
        'no-memory',
        `They and one conversation take ${formatBytes(floor)}, and ${formatBytes(left)} are left on ${device!.name}. Allow more with --memory.`,
      ),
    };
  const claim = device!.memory.claim(floor);
  return {
    claim,
    slice: lentSlice({
      ...at,
      main: { start: range.start, end: range.end, embed: false, head: false },
      device: device!,
      claim,
      numbers: numbersOf(options),
      threads: options.config.threads,
      loadEngine: at.tools.loadEngine,
      ownUse: true,
    }),
  };
}

/** Estimate, engine and process side by side, for whoever wonders where the memory goes. */
function compare(engine: Engine, placement: Placement, { needs, options, model }: LendOptions, claim: Claim) {
  const { device } = placement;
  const { rss } = process.memoryUsage();
  options.log.debug(
    'Layers are loaded; bytes as estimated, as held by the engine, and of the whole process.',
    {
      model: model.cid,
      device: device.name,
      start: placement.start,
      end: placement.end,
      estimated: needs.weights(mainPart(placement), device),
      weights: engine.info.weightBytes,
      cachePerToken: engine.info.kvBytesPerToken,
      budget: claim.budget,
      total: device.memory.total,
      rss,
      // Weights on a GPU are not in it; on a CPU, libraries, page and DHT are.
      overBudget: device.backend === 'node-cpu' ? Math.max(0, rss - device.memory.total) : null,
    },
  );
}

/** Peers that say they hold a layer, by the cells of the grid; the own records do not count. */
async function holdersOf({ model, swarm, signal }: LendOptions): Promise<(layer: number) => number> {
  const cells = gridCells(model.layers);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(DIRECTORY_MS)]);
  const counts = await Promise.all(
    cells.map(async (cell) => {
      const found = await swarm.directory
        .holders(model, cell, { signal: limit })
        // Nobody can be asked yet: then nobody is known to hold anything.
        .catch(() => []);
      return found.filter(({ peer }) => peer !== swarm.transport.self).length;
    }),
  );
  return (layer) => counts[cells.findIndex(({ start, end }) => start <= layer && layer < end)] ?? 0;
}

/** How much may be said at once, in words. */
function roomOf(host: Host, { cid, start, end }: LentSlice, sessions: number): string {
  const slice = host.status().slices.find((one) => one.cid === cid && one.start === start && one.end === end);
  if (!slice) return 'but they are gone already';
  const tokens = slice.offer.free_blocks * BLOCK_TOKENS;
  const count = Math.min(Math.floor(tokens / slice.offer.max_tokens), sessions);
  if (count === 0) return `room for ${tokens} tokens of conversation`;
  return `room for ${count} ${count === 1 ? 'conversation' : 'conversations'} of ${slice.offer.max_tokens} tokens`;
}
