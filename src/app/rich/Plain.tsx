/** Characters of one element: a browser lays each out anew when it changes, and only those that are seen. */
const PART = 8_000;

/** Text as it came. */
export function Plain({ text }: { text: string }) {
  const parts = partsOf(text.replace(/^\n+|\s+$/g, ''));
  if (parts.length === 1) return <p className="rich-plain">{parts[0]}</p>;
  // Parts only ever grow at the end, so their place is their identity.
  return parts.map((part, i) => (
    <p className="rich-plain rich-part" key={i}>
      {part}
    </p>
  ));
}

/** Cuts at line ends where there are some. The line end that an element's own end replaces is left away. */
export function partsOf(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  while (text.length - from > PART) {
    const line = text.lastIndexOf('\n', from + PART);
    const cut = line > from ? line : from + PART;
    parts.push(text.slice(from, cut));
    from = line > from ? cut + 1 : cut;
  }
  parts.push(text.slice(from));
  return parts;
}
