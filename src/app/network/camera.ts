/** What part of the picture is seen: the point in the middle, and pixels per unit. */
export interface Camera {
  x: number;
  y: number;
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

/** A few peers are not drawn larger than this, many not smaller. */
const LARGEST_FIT = 1.5;
export const MOST_SCALE = 4;
export const LEAST_SCALE = 0.08;

export function toScreen({ x, y }: Point, camera: Camera, { width, height }: Size): Point {
  return { x: (x - camera.x) * camera.scale + width / 2, y: (y - camera.y) * camera.scale + height / 2 };
}

export function toPicture({ x, y }: Point, camera: Camera, { width, height }: Size): Point {
  return { x: (x - width / 2) / camera.scale + camera.x, y: (y - height / 2) / camera.scale + camera.y };
}

/** Everything, with room around it. `margin`: pixels, for names. */
export function fit(points: Iterable<Point>, { width, height }: Size, margin: Size): Camera {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  if (left > right) return { x: 0, y: 0, scale: 1 };
  const scale = Math.min(
    Math.max(width - 2 * margin.width, 20) / Math.max(1, right - left),
    Math.max(height - 2 * margin.height, 20) / Math.max(1, bottom - top),
    LARGEST_FIT,
  );
  return { x: (left + right) / 2, y: (top + bottom) / 2, scale: Math.max(LEAST_SCALE, scale) };
}

/** Nearer or farther, while the picture's point under `at` stays there. */
export function zoomed(camera: Camera, factor: number, at: Point, size: Size): Camera {
  const fixed = toPicture(at, camera, size);
  const scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, camera.scale * factor));
  const ratio = camera.scale / scale;
  return {
    x: fixed.x + (camera.x - fixed.x) * ratio,
    y: fixed.y + (camera.y - fixed.y) * ratio,
    scale,
  };
}

/** @param by pixels that the picture moves */
export function panned(camera: Camera, by: Point): Camera {
  return { ...camera, x: camera.x - by.x / camera.scale, y: camera.y - by.y / camera.scale };
}

/** Directions of the arrow keys. */
export type Direction = 'left' | 'right' | 'up' | 'down';

/** The nearest of the others in that direction: within 60° of it, where what lies straight ahead counts as nearer. */
export function neighbour<T extends Point>(from: Point, others: Iterable<T>, direction: Direction): T | null {
  const along = direction === 'left' || direction === 'right' ? 'x' : 'y';
  const sign = direction === 'right' || direction === 'down' ? 1 : -1;
  let best: T | null = null;
  let least = Infinity;
  for (const other of others) {
    const ahead = (other[along] - from[along]) * sign;
    const aside = Math.abs(along === 'x' ? other.y - from.y : other.x - from.x);
    if (ahead <= 0.5 || aside > ahead * 1.8) continue;
    const far = ahead + aside * 2;
    if (far < least) [best, least] = [other, far];
  }
  return best;
}
