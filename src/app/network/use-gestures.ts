import { type RefObject, useEffect } from 'react';
import type { Point } from './camera.ts';
import type { Painter } from './painter.ts';

/** Pixels that a pointer may tremble and still has only tapped. */
const TREMBLE = 6;
/** Zoom per pixel that a wheel turns. */
const WHEEL = 0.0025;

interface Heard {
  onHover: (id: string | null) => void;
  onChoose: (id: string | null) => void;
}

/**
 * Mouse and fingers on the picture: dragging moves it, a tap chooses a peer, two fingers or Ctrl and the wheel zoom. One
 * finger up or down scrolls the page, as everywhere else (`touch-action: pan-y`).
 */
export function useGestures(
  canvas: RefObject<HTMLCanvasElement | null>,
  painter: RefObject<Painter | null>,
  { onHover, onChoose }: Heard,
): void {
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const down = new Map<number, Point>();
    let began: Point | null = null;
    let dragged = false;
    let hovered: string | null = null;
    const pointOf = ({ clientX, clientY }: MouseEvent): Point => {
      const { left, top } = element.getBoundingClientRect();
      return { x: clientX - left, y: clientY - top };
    };
    const hover = (id: string | null) => {
      element.dataset.over = id ?? '';
      if (id === hovered) return;
      hovered = id;
      onHover(id);
    };

    const press = (event: PointerEvent) => {
      const point = pointOf(event);
      element.setPointerCapture(event.pointerId);
      down.set(event.pointerId, point);
      if (down.size === 1) [began, dragged] = [point, false];
      else dragged = true;
    };
    const move = (event: PointerEvent) => {
      const point = pointOf(event);
      const before = down.get(event.pointerId);
      if (!before || !began) {
        if (event.pointerType === 'mouse') hover(painter.current?.at(point) ?? null);
        return;
      }
      const others = [...down].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      down.set(event.pointerId, point);
      dragged ||= Math.hypot(point.x - began.x, point.y - began.y) > TREMBLE;
      if (!dragged) return;
      const other = others[0];
      if (other) pinch(before, point, other);
      else painter.current?.pan({ x: point.x - before.x, y: point.y - before.y });
    };
    const pinch = (before: Point, now: Point, other: Point) => {
      const far = Math.hypot(before.x - other.x, before.y - other.y);
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      const factor = far > 1 ? Math.hypot(now.x - other.x, now.y - other.y) / far : 1;
      painter.current?.zoom(factor, middle);
      painter.current?.pan({ x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 });
    };
    const release = (event: PointerEvent) => {
      const known = down.delete(event.pointerId);
      if (known && event.type === 'pointerup' && !dragged)
        onChoose(painter.current?.at(pointOf(event)) ?? null);
      if (down.size === 0) began = null;
    };
    const leave = () => hover(null);
    const wheel = (event: WheelEvent) => {
      // Without the key the page scrolls; a trackpad's pinch comes with it.
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      painter.current?.zoom(Math.exp(-event.deltaY * WHEEL), pointOf(event));
    };

    element.addEventListener('pointerdown', press);
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', release);
    element.addEventListener('pointercancel', release);
    element.addEventListener('pointerleave', leave);
    element.addEventListener('wheel', wheel, { passive: false });
    return () => {
      element.removeEventListener('pointerdown', press);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', release);
      element.removeEventListener('pointercancel', release);
      element.removeEventListener('pointerleave', leave);
      element.removeEventListener('wheel', wheel);
    };
  }, [canvas, painter, onHover, onChoose]);
}
