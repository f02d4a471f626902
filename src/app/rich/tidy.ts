import type { Element, ElementContent, Root, RootContent } from 'hast';
import { MOST_DEPTH, MOST_ELEMENTS } from './caps.ts';

/** A block that becomes more than a page can bear: it is shown as it came. */
export class TooMuch extends Error {
  override readonly name = 'TooMuch';
}

const ADDRESSES = new Set(['http:', 'https:', 'mailto:']);
/** Their letters decide whether they are written from the left or from the right. */
const DIRECTED = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'li', 'td', 'th']);

/** Makes the elements of a block safe and few: once over all of them, before any is shown. @throws TooMuch */
export function tidy() {
  return (tree: Root) => {
    let elements = 0;
    const walk = (parent: Root | Element, depth: number, inLink: boolean): void => {
      if (depth > MOST_DEPTH) throw new TooMuch('nested too deeply');
      parent.children = (parent.children as ElementContent[]).map((child): ElementContent => {
        if (child.type !== 'element') return child;
        if (++elements > MOST_ELEMENTS) throw new TooMuch('too many elements');
        const element = child.tagName === 'img' ? describedPicture(child) : child;
        if (element.tagName === 'a') tidyLink(element, inLink);
        if (DIRECTED.has(element.tagName)) element.properties.dir = 'auto';
        walk(element, depth + 1, inLink || element.tagName === 'a');
        return element;
      }) as RootContent[] & ElementContent[];
    };
    walk(tree, 0, false);
  };
}

/** A picture is never fetched, for its address would learn who reads: it becomes a link with its description. */
function describedPicture({ properties }: Element): Element {
  const children = [{ type: 'text' as const, value: String(properties.alt ?? '') }];
  return { type: 'element', tagName: 'a', properties: { href: properties.src, picture: true }, children };
}

function tidyLink(element: Element, inLink: boolean): void {
  const address = inLink ? null : addressOf(element.properties.href);
  const { picture } = element.properties;
  element.tagName = address ? 'a' : 'span';
  element.properties = address ? { href: address.href, title: address.href } : { className: ['nowhere'] };
  if (picture) element.properties.dataPicture = true;
}

/** Null for everything that leads into the page or somewhere odd. */
export function addressOf(href: unknown): URL | null {
  if (typeof href !== 'string' || !URL.canParse(href)) return null;
  const address = new URL(href);
  // A name before the host makes one address look like another.
  return ADDRESSES.has(address.protocol) && address.username === '' && address.password === ''
    ? address
    : null;
}

/** What tells where a link leads, when its words do not: the host, or the mail address. */
export function placeOf(address: URL, words: string): string | null {
  const place = address.protocol === 'mailto:' ? address.pathname : address.hostname.replace(/^www\./, '');
  return words.toLowerCase().includes(place.toLowerCase()) && !misleads(words, place) ? null : place;
}

/** Words that name another host beside the true one: `https://bank.example.evil.example`. */
function misleads(words: string, place: string): boolean {
  const hosts = words.toLowerCase().match(/[\w-]+(?:\.[\w-]+)+/g) ?? [];
  return hosts.some((host) => host.replace(/^www\./, '') !== place.toLowerCase() && !host.includes('@'));
}
