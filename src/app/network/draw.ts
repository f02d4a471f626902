import type { MapLink } from '../../sdk/early.ts';
import { MARK } from '../look/Mark.tsx';
import { FEW_PEERS } from './anchors.ts';
import { type Camera, type Point, type Size, toScreen } from './camera.ts';
import type { Palette } from './palette.ts';
import type { Group, Scene, SceneNode } from './scene.ts';

/** What is drawn differently: all by ids. */
export interface Look {
  selected: string | null;
  hovered: string | null;
  /** Only these are drawn in full; null for all. */
  lit: ReadonlySet<string> | null;
  /** Peers of the last answer in their order, this tab at both ends; empty for none. */
  route: readonly string[];
}

/** Words on the picture. */
export interface Names {
  peer: (node: SceneNode) => string;
  group: (group: Group) => string;
  trip: (ms: number) => string;
}

export interface Frame {
  context: CanvasRenderingContext2D;
  size: Size;
  /** Canvas pixels per pixel of the page. */
  ratio: number;
  camera: Camera;
  scene: Scene;
  /** Place on the picture with its drift; null for who has none yet. */
  placeOf: (id: string) => (Point & { tilt: number }) | null;
  groupTop: (group: Group) => Point | null;
  palette: Palette;
  look: Look;
  names: Names;
}

/** Up to so many, each link has its round trip. */
const FEW_LINKS = 40;
/** Beyond so many, the links to the relay, which everybody has, are drawn for the chosen peer only. */
const MOST_RELAY_LINKS = 60;
/** Length of a fish in the picture's units and, at least and at most, in pixels. */
const FISH = 20;
const LEAST_FISH = 7;
const MOST_FISH = 30;
const DASHES: Record<string, number[]> = { direct: [], relayed: [7, 4], websocket: [1.5, 4], tcp: [1.5, 4] };

let fish: Path2D | null = null;

/** Pixels from head to tail. */
export function fishLength({ scale }: Camera): number {
  return Math.min(MOST_FISH, Math.max(LEAST_FISH, FISH * scale));
}

export function draw(frame: Frame): void {
  const { context, size, ratio, scene } = frame;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  context.lineCap = 'round';
  context.lineJoin = 'round';
  const at = new Map<string, Point & { tilt: number }>();
  for (const { id } of scene.nodes) {
    const place = frame.placeOf(id);
    if (place) at.set(id, { ...toScreen(place, frame.camera, size), tilt: place.tilt });
  }
  drawLinks(frame, at);
  drawRoute(frame, at);
  for (const node of scene.nodes) {
    const place = at.get(node.id);
    if (place) drawPeer(frame, node, place);
  }
  if (scene.nodes.length > FEW_PEERS) drawGroupNames(frame, at);
  drawNames(frame, at);
}

/** Links of the same look in one stroke: thousands of them cost as much as a few strokes. */
function drawLinks({ context, scene, palette, look }: Frame, at: ReadonlyMap<string, Point>): void {
  const few = scene.links.length <= FEW_LINKS;
  const chosen = look.selected ?? look.hovered;
  const quiet = scene.links.length > MOST_RELAY_LINKS;
  const bundles = new Map<string, { links: MapLink[]; width: number; strong: boolean }>();
  for (const link of scene.links) {
    const strong = chosen !== null && (link.from === chosen || link.to === chosen);
    const faded = look.lit !== null && !(look.lit.has(link.from) && look.lit.has(link.to));
    if (!strong && (faded || (quiet && link.path === 'websocket'))) continue;
    const width = few ? widthOf(link.roundTripMs) : 1;
    const key = `${link.path} ${width} ${strong}`;
    const bundle = bundles.get(key);
    if (bundle) bundle.links.push(link);
    else bundles.set(key, { links: [link], width, strong });
  }
  for (const { links, width, strong } of [...bundles.values()].sort(
    (a, b) => Number(a.strong) - Number(b.strong),
  )) {
    context.beginPath();
    for (const { from, to } of links) {
      const [a, b] = [at.get(from), at.get(to)];
      if (!a || !b) continue;
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
    }
    context.setLineDash(DASHES[links[0]!.path] ?? []);
    // The links of a relay to hundreds are a cone, not a wall.
    const crowded = strong && links.length > MOST_RELAY_LINKS;
    context.globalAlpha = crowded ? 0.4 : strong || few ? 1 : Math.max(0.16, 0.7 - scene.links.length / 400);
    context.strokeStyle = strong ? palette.sea : palette.edge;
    context.lineWidth = strong && !crowded ? width + 0.8 : width;
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** Near peers have thick lines. */
function widthOf(roundTripMs: number | null): number {
  if (roundTripMs === null) return 1;
  return roundTripMs < 20 ? 2.6 : roundTripMs < 80 ? 1.9 : 1.2;
}

/** The way of the last answer, beside the links that it takes, with an arrow on each part. */
function drawRoute({ context, palette, look }: Frame, at: ReadonlyMap<string, Point>): void {
  const points = look.route.flatMap((id) => at.get(id) ?? []);
  if (points.length < 2) return;
  context.strokeStyle = palette.sea;
  context.fillStyle = palette.sea;
  context.lineWidth = 2.4;
  context.globalAlpha = 0.85;
  for (const [i, to] of points.slice(1).entries()) {
    const from = points[i]!;
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    if (length < 2) continue;
    // Bent to its right, so that the way there and the way back are two.
    const bend = Math.min(26, length * 0.14);
    const middle = {
      x: (from.x + to.x) / 2 - ((to.y - from.y) / length) * bend,
      y: (from.y + to.y) / 2 + ((to.x - from.x) / length) * bend,
    };
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.quadraticCurveTo(middle.x, middle.y, to.x, to.y);
    context.stroke();
    const tip = { x: (from.x + 2 * middle.x + to.x) / 4, y: (from.y + 2 * middle.y + to.y) / 4 };
    arrow(context, tip, Math.atan2(to.y - from.y, to.x - from.x));
  }
  context.globalAlpha = 1;
}

function arrow(context: CanvasRenderingContext2D, { x, y }: Point, angle: number): void {
  const corner = (turn: number) => [x + Math.cos(angle + turn) * 7, y + Math.sin(angle + turn) * 7] as const;
  context.beginPath();
  context.moveTo(...corner(0));
  context.lineTo(...corner(2.4));
  context.lineTo(...corner(-2.4));
  context.fill();
}

function drawPeer(frame: Frame, node: SceneNode, place: Point & { tilt: number }): void {
  const { context, palette, look, camera } = frame;
  const length = fishLength(camera);
  const { x, y } = place;
  const on = look.lit === null || look.lit.has(node.id);
  context.globalAlpha = on ? 1 : 0.22;
  if (node.kind === 'self') ring(context, place, length * 0.95, palette.soft, palette.sea, 1.4);
  if (node.kind === 'relay') diamond(context, place, length * 0.95, palette);
  context.save();
  context.translate(x, y);
  context.rotate(place.tilt);
  context.scale(length / 12, length / 12);
  context.translate(-6, -4);
  fish ??= new Path2D(MARK);
  if (node.kind === 'client' || (node.kind === 'self' && node.layers.length === 0)) {
    // Who only asks is hollow.
    context.fillStyle = palette.raised;
    context.fill(fish);
    context.lineWidth = (1.4 * 12) / length;
    context.strokeStyle = node.kind === 'self' ? palette.sea : palette.muted;
    context.stroke(fish);
  } else {
    context.fillStyle = node.kind === 'relay' ? palette.ink : palette.sea;
    context.fill(fish);
  }
  context.restore();
  if ((node.sessions ?? 0) > 0) sessions(frame, node, place, length);
  if (node.id === look.selected || node.id === look.hovered) {
    context.globalAlpha = 1;
    ring(context, place, length * 1.15 + 3, null, palette.ink, node.id === look.selected ? 2.4 : 1.2);
  }
  context.globalAlpha = 1;
}

/** Conversations that run there now: a ring, and their number where there is room for it. */
function sessions({ context, palette }: Frame, node: SceneNode, place: Point, length: number): void {
  context.setLineDash([3, 3]);
  ring(context, place, length * 0.8, null, palette.sea, 1.6);
  context.setLineDash([]);
  if (length < 11) return;
  const badge = { x: place.x + length * 0.7, y: place.y - length * 0.62 };
  ring(context, badge, 8, palette.sea, palette.raised, 1.5);
  context.fillStyle = palette.onSea;
  context.font = `600 10px ${palette.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const count = node.sessions ?? 0;
  context.fillText(count > 99 ? '99+' : String(count), badge.x, badge.y + 0.5);
}

function ring(
  context: CanvasRenderingContext2D,
  { x, y }: Point,
  radius: number,
  fill: string | null,
  stroke: string,
  width: number,
): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  if (fill) {
    context.fillStyle = fill;
    context.fill();
  }
  context.strokeStyle = stroke;
  context.lineWidth = width;
  context.stroke();
}

function diamond(
  context: CanvasRenderingContext2D,
  { x, y }: Point,
  radius: number,
  { raised, ink }: Palette,
): void {
  context.beginPath();
  context.moveTo(x, y - radius);
  context.lineTo(x + radius, y);
  context.lineTo(x, y + radius);
  context.lineTo(x - radius, y);
  context.closePath();
  context.fillStyle = raised;
  context.fill();
  context.strokeStyle = ink;
  context.lineWidth = 1.4;
  context.stroke();
}

/** The largest schools first; where there is no room for a name, the others show it when the picture is larger. */
function drawGroupNames(frame: Frame, at: ReadonlyMap<string, Point>): void {
  const { scene, camera, size, look, palette, names } = frame;
  const length = fishLength(camera);
  const taken = scene.nodes.flatMap(({ id, kind }) => {
    const place = kind === 'relay' ? at.get(id) : undefined;
    return place ? { x: place.x, y: place.y + length, across: 22 } : [];
  });
  for (const group of [...scene.groups].sort((a, b) => b.peers - a.peers)) {
    // Relays are named one by one.
    const top = group.kind === 'relays' ? null : frame.groupTop(group);
    if (!top || (look.lit !== null && group.kind !== 'hosts')) continue;
    const place = toScreen(top, camera, size);
    const words = names.group(group);
    const label = { x: place.x, y: place.y - length * 0.6 - 9, across: words.length * 3.7 };
    const free = taken.every(
      ({ x, y, across }) => Math.abs(x - label.x) > across + label.across || Math.abs(y - label.y) > 15,
    );
    if (!free) continue;
    taken.push(label);
    text(frame, words, label, palette.ink, 600);
  }
}

interface Label {
  words: string;
  at: Point;
  colour: string;
  weight: number;
}

/** Names, and round trips where there is room for them. */
function drawNames(frame: Frame, at: ReadonlyMap<string, Point>): void {
  const { scene, look, names, camera, palette } = frame;
  const length = fishLength(camera);
  const few = scene.nodes.length <= FEW_PEERS;
  const labels: Label[] = [];
  for (const node of scene.nodes) {
    const place = at.get(node.id);
    const shown = few || node.kind === 'self' || node.kind === 'relay' || node.id === look.selected;
    if (!place || !shown) continue;
    const below = { x: place.x, y: place.y + length * 1.1 + 9 };
    const weight = node.kind === 'self' ? 600 : 400;
    labels.push({ words: names.peer(node), at: below, colour: palette.ink, weight });
  }
  const trips = few && scene.links.length <= FEW_LINKS ? tripLabels(frame, at, labels) : [];
  for (const { words, at, colour, weight } of [...trips, ...labels]) text(frame, words, at, colour, weight);
}

/** Where on a link its round trip may stand. */
const PLACES = [0.5, 0.6, 0.4, 0.7, 0.3];

function tripLabels(
  { scene, names, camera, palette }: Frame,
  at: ReadonlyMap<string, Point>,
  labels: readonly Label[],
): Label[] {
  const length = fishLength(camera);
  const taken = [
    ...labels.map(({ at, words }) => ({ ...at, across: words.length * 3.6, down: 8 })),
    ...[...at.values()].map(({ x, y }) => ({ x, y, across: length, down: length * 0.8 })),
  ];
  const found: Label[] = [];
  for (const { from, to, roundTripMs } of scene.links) {
    const [a, b] = [at.get(from), at.get(to)];
    if (!a || !b || roundTripMs === null) continue;
    const words = names.trip(roundTripMs);
    const across = words.length * 3.6;
    const place = PLACES.map((part) => ({ x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part })).find(
      ({ x, y }) =>
        taken.every(
          (other) => Math.abs(other.x - x) > other.across + across || Math.abs(other.y - y) > other.down + 8,
        ),
    );
    if (!place) continue;
    taken.push({ ...place, across, down: 8 });
    found.push({ words, at: place, colour: palette.muted, weight: 400 });
  }
  return found;
}

/** With a seam in the colour of the ground, so that lines below do not cross it out. */
function text(
  { context, palette }: Frame,
  words: string,
  { x, y }: Point,
  colour: string,
  weight = 400,
): void {
  context.font = `${weight} 12px ${palette.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineWidth = 4;
  context.strokeStyle = palette.raised;
  context.strokeText(words, x, y);
  context.fillStyle = colour;
  context.fillText(words, x, y);
}
