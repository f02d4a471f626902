import { chooseCells, gridCells, type LayerRange } from '../../src/swarm/index.ts';
import type { LayersWanted } from '../config/types.ts';
import { formatBytes } from '../progress.ts';
import type { ServedModel } from '../shelf.ts';
import type { Device } from './devices.ts';
import { HostingError } from './errors.ts';
import type { Needs } from './need.ts';

/** `auto` takes no more layers than leave room for so many conversations: fewer make a relay that refuses. */
const CONVERSATIONS = 4;

/** Layers that are to run on one device. */
export interface Placement extends LayerRange {
  device: Device;
  /** Bytes kept for them. */
  floor: number;
}

export interface Wanted {
  model: ServedModel;
  layers: Exclude<LayersWanted, 'none'>;
  needs: Needs;
  devices: readonly Device[];
  /** Peers in the network that hold a layer already. */
  holders: (layer: number) => number;
  random: () => number;
}

/**
 * Which layers of a model run where. Several devices share them, by their memory.
 * @throws HostingError `bad-layers` when the model does not have the layers, `no-memory` when they do not fit
 */
export function place(wanted: Wanted): Placement[] {
  const { model, layers, devices, needs } = wanted;
  if (layers === 'auto') return placeAuto(wanted);
  const range = layers === 'all' ? { start: 0, end: model.layers } : layers;
  if (range.end > model.layers)
    throw new HostingError(
      'bad-layers',
      `--layers ${range.start}-${range.end} is outside ${model.name}, which has layers 0-${model.layers}. Choose a part of these, all, auto or none.`,
    );
  const found = divide(range, wanted, CONVERSATIONS) ?? divide(range, wanted, 1);
  if (found) return found;
  const need = needs.of(range, devices[0]!);
  const left = devices.reduce((sum, { memory }) => sum + memory.left, 0);
  throw new HostingError(
    'no-memory',
    `${inWords(range)} of ${model.name} take ${formatBytes(need.weights)}, and one conversation ${formatBytes(need.conversation)}: ${missing(need.weights + need.conversation, left)}. Lend fewer with --layers, or allow more with --memory.`,
  );
}

function placeAuto(wanted: Wanted): Placement[] {
  const { model, holders, random, devices, needs } = wanted;
  const chosen = chooseCells({
    layers: model.layers,
    fits: (range) => divide(range, wanted, CONVERSATIONS) !== null,
    holders,
    random,
  });
  if (chosen) return divide(chosen, wanted, CONVERSATIONS)!;
  const [cell] = gridCells(model.layers).slice(-1);
  const need = needs.of(cell!, devices[0]!);
  const left = devices.reduce((sum, { memory }) => sum + memory.left, 0);
  throw new HostingError(
    'no-memory',
    `Not even ${inWords(cell!).toLowerCase()} of ${model.name} fit with ${CONVERSATIONS} conversations: ${missing(need.weights + CONVERSATIONS * need.conversation, left)}. Allow more with --memory.`,
  );
}

function missing(needed: number, left: number): string {
  if (needed <= left) return `${formatBytes(left)} are left, but not on one device`;
  return `${formatBytes(left)} are left, ${formatBytes(needed - left)} too little`;
}

function inWords({ start, end }: LayerRange): string {
  return end - start === 1 ? `Layer ${start}` : `Layers ${start} to ${end - 1}`;
}

/** The range over the devices, in order; null when it does not fit. */
function divide(range: LayerRange, { devices, needs, model }: Wanted, conversations: number) {
  // Whole cells, as far as the range has them: planners look for those.
  const edges = gridCells(model.layers)
    .map(({ start }) => start)
    .filter((edge) => edge > range.start && edge < range.end);
  const cells = [range.start, ...edges, range.end];
  const fit = (start: number, end: number, device: Device): Placement | null => {
    const { weights, conversation } = needs.of({ start, end }, device);
    const floor = weights + conversations * conversation;
    return floor <= device.memory.left ? { start, end, device, floor } : null;
  };
  // Even shares first; where one is too large for its device, whatever each can take.
  return fill(cells, devices, fit, true) ?? fill(cells, devices, fit, false);
}

function fill(
  cells: readonly number[],
  devices: readonly Device[],
  fit: (start: number, end: number, device: Device) => Placement | null,
  even: boolean,
): Placement[] | null {
  const placed: Placement[] = [];
  let at = 0;
  let memory = devices.reduce((sum, device) => sum + device.memory.left, 0);
  for (const device of devices) {
    const open = cells.length - 1 - at;
    if (open === 0) break;
    const share = Math.max(1, Math.round((open * device.memory.left) / Math.max(1, memory)));
    memory -= device.memory.left;
    for (let count = Math.min(open, even ? share : open); count > 0; count--) {
      const found = fit(cells[at]!, cells[at + count]!, device);
      if (!found) continue;
      placed.push(found);
      at += count;
      break;
    }
  }
  return at === cells.length - 1 ? placed : null;
}
