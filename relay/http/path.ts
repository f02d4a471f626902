/** A request target in origin form, taken apart. */
export interface Target {
  path: string;
  segments: readonly string[];
  query: URLSearchParams;
}

/** Null for what is no path: another form (`*`, `http://…`), broken escapes, a NUL. */
export function parseTarget(target: string): Target | null {
  if (!target.startsWith('/')) return null;
  const end = target.search(/[?#]/);
  const raw = end < 0 ? target : target.slice(0, end);
  const search = end < 0 || target[end] === '#' ? '' : target.slice(end + 1).replace(/#.*$/, '');
  try {
    const path = decodeURIComponent(raw);
    if (path.includes('\0')) return null;
    const segments = raw.slice(1).split('/').map(decodeURIComponent);
    return { path, segments, query: new URLSearchParams(search) };
  } catch {
    // decodeURIComponent throws for what is no UTF-8.
    return null;
  }
}
