import type { Point } from './camera.ts';
import type { Group } from './scene.ts';

/** A school's place: a flat circle, in the picture's own units. */
export interface Anchor extends Point {
  /** Half of its width and of its height. */
  across: number;
  down: number;
}

/** Units from one fish to the next, about; a few stand apart, for their names. */
const SPACING = 26;
const SPACING_OF_FEW = 110;
/** So many peers are a few. */
export const FEW_PEERS = 14;
/** Between schools, for their names. */
const GAP = 36;
/** Widths that are tried, in units: from two schools to what 2,000 peers need. */
const LEAST_WIDTH = 150;
const WIDTHS = 16;
/** Of its width, how much lower the ends of a row are than its middle. */
const BEND = 0.12;
/** Those who ask lie below the others, at most so many times as wide as high. */
const FLATTEST = 9;

/** Units between the peers of a picture of so many. */
export function spacingFor(peers: number): number {
  return peers <= FEW_PEERS ? SPACING_OF_FEW : SPACING;
}

/** How far the outermost of so many is from the middle of a round school. */
export function reach(peers: number, spacing: number): number {
  return spacing * 0.62 * Math.sqrt(peers - 1);
}

/** Half the width of a round school, with room for its outermost fish. */
function radiusFor(peers: number, spacing: number): number {
  return reach(peers, spacing) + SPACING / 2;
}

/**
 * Where the schools swim: those of the first layers to the left, of the last ones to the right, so that an answer goes
 * through them from left to right; models below each other; relays above, and those who only ask below. The same
 * schools always get the same places, whatever order they come in.
 * @param aspect width of the picture by its height: of many ways to place them, the one that is seen largest is taken
 */
export function anchorsOf(groups: readonly Group[], aspect: number): Map<string, Anchor> {
  let best = new Map<string, Anchor>();
  let least = Infinity;
  for (let i = 0, width = LEAST_WIDTH; i < WIDTHS; i++, width *= 1.25) {
    const anchors = placeAll(groups, width);
    const box = boxOf(anchors.values());
    const size = Math.max(box.width / aspect, box.height);
    // Of those that are seen equally large, the widest: lines between them cross less.
    if (size <= least * 1.001) [best, least] = [anchors, Math.min(size, least)];
  }
  return best;
}

function placeAll(groups: readonly Group[], width: number): Map<string, Anchor> {
  const anchors = new Map<string, Anchor>();
  const spacing = spacingFor(groups.reduce((sum, { peers }) => sum + peers, 0));
  const hosts = groups.filter(({ kind }) => kind === 'hosts');
  let bottom: number | null = null;
  for (const row of [...new Set(hosts.map((group) => group.row))].sort((a, b) => a - b)) {
    const placed = placeRow(
      hosts.filter((group) => group.row === row),
      width,
      spacing,
    );
    const box = boxOf(placed.values());
    const shift: number = bottom === null ? 0 : bottom + 2 * GAP - box.top;
    for (const [key, anchor] of placed) anchors.set(key, { ...anchor, y: anchor.y + shift });
    bottom = box.top + box.height + shift;
  }
  const box = boxOf(anchors.values());
  for (const { key, kind, peers } of groups) {
    const radius = radiusFor(peers, spacing);
    if (kind === 'relays') {
      anchors.set(key, { x: 0, y: box.top - 2 * GAP - radius, across: radius, down: radius });
    }
    if (kind === 'clients') {
      const across = Math.min(Math.max(radius, box.width / 2), radius * Math.sqrt(FLATTEST));
      const down = (radius * radius) / across;
      anchors.set(key, { x: 0, y: box.top + box.height + 1.6 * GAP + down, across, down });
    }
  }
  return anchors;
}

/**
 * Large schools take their place first; the others go above or below what is in their way. The row is bent, so that a
 * line from its first to its last school passes below those in between.
 */
function placeRow(groups: readonly Group[], width: number, spacing: number): Map<string, Anchor> {
  const placed = new Map<string, Anchor>();
  const order = [...groups].sort((a, b) => b.peers - a.peers || (a.key < b.key ? -1 : 1));
  for (const { key, depth, peers } of order) {
    const x = (depth - 0.5) * width;
    const radius = radiusFor(peers, spacing);
    const bent = (2 * depth - 1) ** 2 * width * BEND;
    const free = (y: number) =>
      [...placed.values()].every(
        (other) => Math.hypot(other.x - x, other.y - y) >= other.across + radius + GAP,
      );
    let y = bent;
    for (let step = 1; !free(y); step++) {
      y = bent + (step % 2 === 1 ? 1 : -1) * Math.ceil(step / 2) * (GAP / 2);
    }
    placed.set(key, { x, y, across: radius, down: radius });
  }
  return placed;
}

function boxOf(anchors: Iterable<Anchor>): { top: number; width: number; height: number } {
  let [left, top, right, bottom] = [0, 0, 0, 0];
  for (const { x, y, across, down } of anchors) {
    left = Math.min(left, x - across);
    right = Math.max(right, x + across);
    top = Math.min(top, y - down);
    bottom = Math.max(bottom, y + down);
  }
  return { top, width: right - left, height: bottom - top };
}
