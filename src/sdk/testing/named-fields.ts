import { readFileSync } from 'node:fs';
import { namesOf, type Sent } from './recorder.ts';

/** Names of fields that the document allows for each kind of message: in every mode, and in light mode. */
const NAMED = new Map(
  readFileSync('docs/privacy.md', 'utf8')
    .match(/^\| `\w+` \|.*$/gm)!
    .map((row) => {
      const [, kind, always, light] = row.split('|').map((cell) => cell.match(/[\w.]+(?=`)/g) ?? []);
      return [kind![0]!, { always: always!, light: light! }] as const;
    }),
);
const SAMPLING = NAMED.get('forward_hidden')!.light;

/** Fields of these messages that the document does not name, as `kind field`. */
export function unnamed(sent: readonly Sent[], mode: 'private' | 'light'): string[] {
  const found = sent.flatMap(({ fields }) => {
    const named = NAMED.get(fields.kind);
    const light = fields.kind === 'session_init' ? SAMPLING : (named?.light ?? []);
    const allowed = new Set([...(named?.always ?? []), ...(mode === 'light' ? light : [])]);
    return namesOf(fields).flatMap((name) => (allowed.has(name) ? [] : [`${fields.kind} ${name}`]));
  });
  return [...new Set(found)];
}
