/** Colours of the picture, as the page's theme has them now. */
export interface Palette {
  ink: string;
  muted: string;
  line: string;
  edge: string;
  sea: string;
  soft: string;
  raised: string;
  onSea: string;
  font: string;
}

/** Where `network.css` puts each colour, for a canvas cannot read variables. */
export const INKS = ['ink', 'muted', 'line', 'edge', 'sea', 'soft', 'raised', 'onSea'] as const;

/** @param swatches holds one element per colour, with `data-ink` */
export function readPalette(swatches: HTMLElement): Palette {
  const colour = (name: string) => {
    const swatch = swatches.querySelector(`[data-ink="${name}"]`);
    return swatch ? getComputedStyle(swatch).color : 'gray';
  };
  const inks = Object.fromEntries(INKS.map((name) => [name, colour(name)])) as Omit<Palette, 'font'>;
  return { ...inks, font: getComputedStyle(swatches).fontFamily };
}
