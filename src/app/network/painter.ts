import { FEW_PEERS } from './anchors.ts';
import {
  type Camera,
  type Direction,
  fit,
  neighbour,
  type Point,
  panned,
  type Size,
  toPicture,
  zoomed,
} from './camera.ts';
import { draw, fishLength, type Look, type Names } from './draw.ts';
import { Layout, phaseOf } from './layout.ts';
import type { Palette } from './palette.ts';
import { type Group, type Scene, sameShape } from './scene.ts';

/** Milliseconds of one frame that finding places may take. */
const WORK_MS = 8;
/** Milliseconds between frames that only drift: a shoal is slow. */
const DRIFT_MS = 50;
/** Above this, drifting would keep a processor busy for nothing. */
const MOST_DRIFTING = 120;
/** Units that a fish drifts. */
const DRIFT = 2.2;
/** More canvas pixels than these per pixel are not seen, but drawn. */
const MOST_RATIO = 2;
/** Pixels beside a fish that still mean it: a finger is wide. */
const REACH = 16;

/** Draws the picture when something changed, and while somebody finds a place or drifts. */
export class Painter {
  readonly #context: CanvasRenderingContext2D;
  readonly #layout = new Layout();
  #scene: Scene = { nodes: [], links: [], groups: [] };
  #size: Size = { width: 0, height: 0 };
  #camera: Camera = { x: 0, y: 0, scale: 1 };
  /** Until somebody moves the picture, all of it is shown. */
  #follows = true;
  #look: Look = { selected: null, hovered: null, lit: null, route: [] };
  #palette: Palette | null = null;
  #readPalette: (() => Palette) | null = null;
  #names: Names | null = null;
  #drifts = false;
  #visible = true;
  #frame = 0;
  #timer = 0;
  #drewMs = 0;
  #aspect = 1;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.#context = canvas.getContext('2d')!;
  }

  set(scene: Scene): void {
    const same = sameShape(scene, this.#scene);
    this.#scene = scene;
    if (!same) this.#layout.set(scene, this.#aspect);
    this.#soon();
  }

  look(look: Look): void {
    this.#look = look;
    this.#soon();
  }

  /** @param read the colours; called when the next frame is drawn */
  dress(read: () => Palette): void {
    this.#readPalette = read;
    this.#palette = null;
    this.#soon();
  }

  name(names: Names): void {
    this.#names = names;
    this.#soon();
  }

  /** @param drifts false for those who asked for less motion */
  live({ drifts, visible }: { drifts: boolean; visible: boolean }): void {
    this.#drifts = drifts;
    this.#visible = visible;
    this.#soon();
  }

  resize(size: Size): void {
    this.#size = size;
    const ratio = this.#ratio;
    this.canvas.width = Math.round(size.width * ratio);
    this.canvas.height = Math.round(size.height * ratio);
    const aspect = aspectOf(size);
    if (aspect !== this.#aspect) {
      this.#aspect = aspect;
      this.#layout.set(this.#scene, aspect);
      this.#soon();
    }
    // A canvas that changes its size is empty.
    this.#paint();
  }

  showAll(): void {
    this.#follows = true;
    this.#soon();
  }

  zoom(factor: number, at: Point = { x: this.#size.width / 2, y: this.#size.height / 2 }): void {
    this.#follows = false;
    this.#camera = zoomed(this.#camera, factor, at, this.#size);
    this.#soon();
  }

  pan(by: Point): void {
    this.#follows = false;
    this.#camera = panned(this.#camera, by);
    this.#soon();
  }

  /** Puts a peer into the middle, near enough to be told from its neighbours. */
  find(id: string): void {
    const place = this.#layout.places.get(id);
    if (!place) return;
    this.#follows = false;
    this.#camera = { x: place.x, y: place.y, scale: Math.max(1, this.#camera.scale) };
    this.#soon();
  }

  /** The peer at that point of the canvas. */
  at(point: Point): string | null {
    const { x, y } = toPicture(point, this.#camera, this.#size);
    const reach = (REACH + fishLength(this.#camera) / 2) / this.#camera.scale;
    let best: string | null = null;
    let least = reach;
    for (const place of this.#layout.places.values()) {
      const far = Math.hypot(place.x - x, place.y - y);
      if (far < least) [best, least] = [place.id, far];
    }
    return best;
  }

  /** The next peer in that direction; the one in the middle when none is chosen. */
  next(from: string | null, direction: Direction): string | null {
    const places = this.#layout.places;
    const start = from === null ? undefined : places.get(from);
    if (start) return neighbour(start, places.values(), direction)?.id ?? from;
    return this.at({ x: this.#size.width / 2, y: this.#size.height / 2 }) ?? [...places.keys()][0] ?? null;
  }

  /** Keeps a chosen peer in sight, after the keys went to one that is not. */
  reveal(id: string): void {
    const place = this.#layout.places.get(id);
    if (!place || this.#follows) return;
    const { x, y, scale } = this.#camera;
    const { width, height } = this.#size;
    const outside =
      Math.abs(place.x - x) * scale > width / 2 - 30 || Math.abs(place.y - y) * scale > height / 2 - 30;
    if (outside) this.#camera = { x: place.x, y: place.y, scale };
    this.#soon();
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#visible = false;
  }

  get #ratio(): number {
    return Math.min(MOST_RATIO, globalThis.devicePixelRatio || 1);
  }

  #soon(): void {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#frame === 0 && this.#visible) this.#frame = requestAnimationFrame(() => this.#next());
  }

  #next(): void {
    this.#frame = 0;
    const moved = this.#layout.work(WORK_MS, () => performance.now());
    // Without motion, places are shown when they are found, not on the way there.
    if (!moved || this.#drifts || this.#layout.settled) this.#paint();
    if (!this.#visible) return;
    if (!this.#layout.settled) this.#soon();
    else if (this.#drifts && this.#scene.nodes.length <= MOST_DRIFTING) {
      // On a machine that draws slowly, less often: a quarter of its time at most.
      const wait = Math.max(DRIFT_MS, this.#drewMs * 4);
      this.#timer = window.setTimeout(() => this.#soon(), wait);
    }
  }

  #paint(): void {
    const { width, height } = this.#size;
    this.#palette ??= this.#readPalette?.() ?? null;
    if (!this.#palette || !this.#names || width === 0 || height === 0) return;
    const began = performance.now();
    if (this.#follows) this.#camera = this.#whole();
    const still = !this.#drifts || this.#scene.nodes.length > MOST_DRIFTING;
    draw({
      context: this.#context,
      size: this.#size,
      ratio: this.#ratio,
      camera: this.#camera,
      scene: this.#scene,
      placeOf: (id) => this.#placeOf(id, still ? null : began / 1000),
      groupTop: (group) => this.#topOf(group),
      palette: this.#palette,
      look: this.#look,
      names: this.#names,
    });
    this.#drewMs = performance.now() - began;
  }

  #whole(): Camera {
    const few = this.#scene.nodes.length <= FEW_PEERS;
    const margin = { width: few ? 64 : 34, height: few ? 58 : 40 };
    return fit(this.#layout.places.values(), this.#size, margin);
  }

  #placeOf(id: string, seconds: number | null): (Point & { tilt: number }) | null {
    const place = this.#layout.places.get(id);
    if (!place) return null;
    if (seconds === null) return { x: place.x, y: place.y, tilt: 0 };
    const phase = phaseOf(id) * 2 * Math.PI;
    return {
      x: place.x + Math.sin(seconds * 0.5 + phase) * DRIFT,
      y: place.y + Math.cos(seconds * 0.4 + phase * 3) * DRIFT,
      tilt: Math.sin(seconds * 0.45 + phase) * 0.09,
    };
  }

  /** Above the highest of a school. */
  #topOf(group: Group): Point | null {
    const anchor = this.#layout.anchors.get(group.key);
    if (!anchor) return null;
    let top = Infinity;
    for (const place of this.#layout.places.values()) {
      if (place.group === group.key) top = Math.min(top, place.y);
    }
    return Number.isFinite(top) ? { x: anchor.x, y: top } : null;
  }
}

/** In steps of a quarter: the places do not change with every pixel of a window. */
function aspectOf({ width, height }: Size): number {
  return Math.max(0.5, Math.round((width / Math.max(1, height)) * 4) / 4);
}
