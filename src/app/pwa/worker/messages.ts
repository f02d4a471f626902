/** What a page says to its service worker. */
export type ToWorker =
  /** The waiting worker becomes the one that serves, at a user's word. */
  | { kind: 'take-over' }
  /** Answered on the message's port with the names of the worker's caches. */
  | { kind: 'which' }
  /** A page has started and holds the locks of its caches: those of builds that no page uses can go. */
  | { kind: 'started' }
  /** onnxruntime's files in use, by their paths. */
  | { kind: 'keep'; paths: readonly string[] }
  | { kind: 'notify'; title: string; text: string };

const MOST_PATHS = 8;

/** Null for what is none of these messages, from a page of another build. */
export function readMessage(data: unknown): ToWorker | null {
  const field = (name: string): unknown =>
    typeof data === 'object' && data !== null ? Reflect.get(data, name) : undefined;
  const kind = field('kind');
  if (kind === 'take-over' || kind === 'which' || kind === 'started') return { kind };
  if (kind === 'keep') {
    const paths = field('paths');
    if (!Array.isArray(paths) || paths.length > MOST_PATHS) return null;
    return paths.every((path) => typeof path === 'string') ? { kind, paths } : null;
  }
  if (kind === 'notify') {
    const [title, text] = [field('title'), field('text')];
    return typeof title === 'string' && typeof text === 'string' ? { kind, title, text } : null;
  }
  return null;
}
