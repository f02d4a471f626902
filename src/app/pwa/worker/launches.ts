import type { Launched, LaunchProblem } from '../types.ts';

/** Files of one share; what the composer takes at once. */
const MOST_FILES = 8;
/** Bytes of one share: they lie on the disk twice until a page has taken them. */
const MOST_BYTES = 4 * 2 ** 30;
/** Characters: a long book. */
const LONGEST_TEXT = 1_000_000;
/** Milliseconds after which nobody comes for it any more. */
const LIFETIME_MS = 10 * 60_000;

const FOLDER = '/launched/';

type Store = Pick<Cache, 'put' | 'match' | 'keys' | 'delete'>;

/** What a launch was besides its files; kept last, so that a half-kept launch is never taken. */
interface Head {
  text: string;
  names: string[];
  problem: LaunchProblem | null;
}

/**
 * Keeps what was shared until a page takes it.
 * @param origin of the page; the store's keys are addresses
 * @param now milliseconds since 1970
 */
export async function keepLaunch(
  store: Store,
  form: FormData,
  { origin, now }: { origin: string; now: number },
): Promise<void> {
  const files = form.getAll('files').filter((value): value is File => typeof value !== 'string');
  const parts = ['title', 'text', 'url'].map((name) => form.get(name));
  const texts = parts.filter((value): value is string => typeof value === 'string' && value !== '');
  // Some systems put the address into both text and url.
  const text = [...new Set(texts)].join('\n');
  const folder = `${origin}${FOLDER}${now}-${crypto.randomUUID()}/`;
  const keep = (head: Head) => store.put(`${folder}head`, Response.json(head));
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (files.length > MOST_FILES || bytes > MOST_BYTES || text.length > LONGEST_TEXT)
    return keep({ text: '', names: [], problem: 'too-large' });
  try {
    for (const [i, file] of files.entries()) await store.put(`${folder}${i}`, new Response(file));
  } catch {
    // The disk or the browser's quota is full. The text is small.
    for (const i of files.keys()) await store.delete(`${folder}${i}`);
    return keep({ text, names: [], problem: 'no-room' });
  }
  await keep({ text, names: files.map(({ name }) => name), problem: null });
}

/** Takes what was shared, once, the oldest first; what nobody came for is deleted. */
export async function takeLaunches(
  store: Store,
  now: number,
): Promise<{ launched: Launched[]; problem: LaunchProblem | null }> {
  const launched: Launched[] = [];
  let problem: LaunchProblem | null = null;
  for (const [folder, { at, keys }] of await foldersOf(store)) {
    const head = await readHead(await store.match(`${folder}head`));
    const isOld = now - at >= LIFETIME_MS;
    // Without a head it is still on its way in.
    if (!head && !isOld) continue;
    if (head && !isOld) {
      const files = await filesOf(store, folder, head.names);
      if (files.length > 0 || head.text !== '') launched.push({ files, text: head.text });
      problem = head.problem ?? problem;
    }
    // Blobs stay readable after their entry is gone.
    for (const key of keys) await store.delete(key);
  }
  return { launched, problem };
}

/** Kept launches by the address they begin with, the oldest first. */
async function foldersOf(store: Store): Promise<[string, { at: number; keys: string[] }][]> {
  const folders = new Map<string, { at: number; keys: string[] }>();
  for (const { url } of await store.keys()) {
    const [folder, at] = /^.*\/launched\/(\d+)-[\w-]+\//.exec(url) ?? [];
    if (!folder) continue;
    const found = folders.get(folder) ?? { at: Number(at), keys: [] };
    found.keys.push(url);
    folders.set(folder, found);
  }
  return [...folders].sort(([, a], [, b]) => a.at - b.at);
}

async function filesOf(store: Store, folder: string, names: readonly string[]): Promise<File[]> {
  const files: File[] = [];
  for (const [i, name] of names.entries()) {
    const blob = await (await store.match(`${folder}${i}`))?.blob();
    if (blob) files.push(new File([blob], name, { type: blob.type }));
  }
  return files;
}

async function readHead(response: Response | undefined): Promise<Head | null> {
  const head: unknown = await response?.json().catch(() => null);
  // Written by this file; another build may have written another shape.
  const { text, names, problem } = (head ?? {}) as Partial<Head>;
  if (typeof text !== 'string' || !Array.isArray(names)) return null;
  const known = problem === 'too-large' || problem === 'no-room' ? problem : null;
  return { text, names: names.slice(0, MOST_FILES).map(String), problem: known };
}
