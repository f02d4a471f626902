import { stringify } from 'yaml';
import { defaultOf, keysByGroup } from './help.ts';
import { groupOf, KEYS, type KeyPath } from './keys.ts';
import type { Kind } from './kinds.ts';

/**
 * A configuration file with every key and what it does. The keys in `chosen` are set; all others are comments that
 * show their default, so that a later version may choose a better one.
 */
export function fileTemplate(chosen: ReadonlyMap<KeyPath, unknown>): string {
  const parts = keysByGroup().map(([title, paths]) => {
    const group = groupOf(paths[0]!);
    const indent = group === 'general' ? '' : '  ';
    const lines = paths.flatMap((path) => {
      const key = path.slice(path.lastIndexOf('.') + 1);
      const note = `${indent}# ${KEYS[path].help}`;
      const written = chosen.has(path)
        ? `${indent}${key}: ${show(path, chosen.get(path))}`
        : `${indent}# ${key}: ${defaultOf(path)}`;
      return [note, written, ''];
    });
    return [`# ${title}`, ...(group === 'general' ? [] : [`${group}:`]), ...lines].join('\n');
  });
  return `# The configuration of a Shoal relay. A flag or an environment variable wins over a line here.\n# Every key is explained in docs/configuration.md.\n\n${parts.join('\n')}`;
}

function show(path: KeyPath, value: unknown): string {
  const { kind } = KEYS[path] as { kind: Kind<unknown> };
  // A list is shown in YAML already; a single value may need quotes, as `*` or `a: b` do.
  return kind.list ? kind.show(value) : scalar(kind.show(value), value);
}

function scalar(text: string, value: unknown): string {
  return typeof value === 'string' ? stringify(text, { lineWidth: 0 }).trimEnd() : text;
}
