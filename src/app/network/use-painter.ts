import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import type { NetworkMap } from '../../sdk/early.ts';
import type { Look, Names } from './draw.ts';
import { Painter } from './painter.ts';
import { readPalette } from './palette.ts';
import { sceneOf } from './scene.ts';

interface Shown {
  map: NetworkMap;
  look: Look;
  names: Names;
  /** The colours are read again when it changes. */
  theme: string;
  /** The user asked this page for less motion; the system may have been asked as well. */
  still: boolean;
}

/** Keeps a painter on the canvas and tells it what to draw. */
export function usePainter(
  canvas: RefObject<HTMLCanvasElement | null>,
  swatches: RefObject<HTMLElement | null>,
  { map, look, names, theme, still }: Shown,
): RefObject<Painter | null> {
  const painter = useRef<Painter | null>(null);
  const dark = useMedia('(prefers-color-scheme: dark)');
  const less = useMedia('(prefers-reduced-motion: reduce)');
  const { peers, links, models } = map;
  const scene = useMemo(() => sceneOf({ peers, links, models }), [peers, links, models]);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const made = new Painter(element);
    painter.current = made;
    const box = element.parentElement ?? element;
    const sized = new ResizeObserver(() => made.resize({ width: box.clientWidth, height: box.clientHeight }));
    sized.observe(box);
    return () => {
      sized.disconnect();
      made.stop();
      painter.current = null;
    };
  }, [canvas]);

  const visible = useVisible(canvas);
  useEffect(() => painter.current?.live({ drifts: !still && !less, visible }), [still, less, visible]);
  useEffect(() => painter.current?.set(scene), [scene]);
  useEffect(() => painter.current?.look(look));
  useEffect(() => painter.current?.name(names));
  // Read when it draws next: the page's own effect, which sets the theme, comes after this one.
  useEffect(() => {
    const box = swatches.current;
    if (box) painter.current?.dress(() => readPalette(box));
  }, [theme, dark, swatches]);
  return painter;
}

/** Whether a query of the system holds now. */
function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const change = () => setMatches(list.matches);
    list.addEventListener('change', change);
    return () => list.removeEventListener('change', change);
  }, [query]);
  return matches;
}

/** Whether it can be seen: in the window, of a tab that is in front. */
function useVisible(element: RefObject<HTMLElement | null>): boolean {
  const [inside, setInside] = useState(true);
  const [front, setFront] = useState(() => !document.hidden);
  useEffect(() => {
    const change = () => setFront(!document.hidden);
    document.addEventListener('visibilitychange', change);
    const seen = new IntersectionObserver(([entry]) => setInside(entry?.isIntersecting ?? true));
    if (element.current) seen.observe(element.current);
    return () => {
      document.removeEventListener('visibilitychange', change);
      seen.disconnect();
    };
  }, [element]);
  return inside && front;
}
