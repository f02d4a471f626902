import katex from 'katex';
import 'katex/dist/katex.min.css';
import { MOST_FORMULA, MOST_FORMULA_DEPTH, MOST_FORMULA_ELEMENTS } from './caps.ts';

/** Replacements of macros by others; only KaTeX's own are used, and they need a few each. */
const MOST_EXPANSIONS = 500;
/** Widths and heights that a formula may ask for, in em. */
const LARGEST_EM = 20;
/** Formulas that define macros can double their length at every step. */
const DEFINES =
  /\\(?:[gex]?def|let|futurelet|global|long|(?:re|provide)?newcommand|renewcommand)(?![a-zA-Z])/;
/** Milliseconds that a formula waits for its letters, so that it is not drawn twice. */
const FONTS_MS = 1_000;

/** Resolves when the letters that nearly every formula needs are here. */
export async function fontsReady(): Promise<void> {
  const fonts = ['1em KaTeX_Main', 'italic 1em KaTeX_Math'].map((font) => document.fonts.load(font));
  const late = new Promise((resolve) => setTimeout(resolve, FONTS_MS));
  await Promise.race([Promise.allSettled(fonts), late]);
}

/**
 * Draws a formula into an element, through the DOM only: nothing is parsed as HTML, links and pictures in it stay
 * text. @returns false when it is no TeX, or too much of it
 */
export function draw(tex: string, into: HTMLElement, display: boolean): boolean {
  if (tex.length > MOST_FORMULA || DEFINES.test(tex)) return false;
  const drawn = document.createElement('span');
  try {
    katex.render(tex, drawn, {
      displayMode: display,
      throwOnError: true,
      strict: 'ignore',
      trust: false,
      maxExpand: MOST_EXPANSIONS,
      maxSize: LARGEST_EM,
      output: 'htmlAndMathml',
    });
  } catch {
    return false;
  }
  if (drawn.getElementsByTagName('*').length > MOST_FORMULA_ELEMENTS || isDeep(drawn)) return false;
  into.replaceChildren(drawn);
  return true;
}

/** Browsers lay out what is nested by recursion. */
function isDeep(drawn: Element): boolean {
  let level: Element[] = [drawn];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_FORMULA_DEPTH) return true;
    level = level.flatMap((element) => [...element.children]);
  }
  return false;
}
