import { dirname } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { GROUPS, isKey, KEY_PATHS } from './keys.ts';
import type { Given, Mistakes } from './mistakes.ts';
import { nearest } from './nearest.ts';

/** Groups are one level deep, lists a second; a parser that recurses must not be led further. */
const MOST_DEPTH = 32;

/** The keys of a YAML or JSON text; JSON is a part of YAML. What is wrong is added to `mistakes`. */
export function readFileText(text: string, path: string, mistakes: Mistakes): Given[] {
  const lines = new LineCounter();
  const place = (at: number | undefined) => `${path}, line ${at === undefined ? 1 : lines.linePos(at).line}`;
  const root = parse(text, lines, (at, what) => mistakes.add(`${place(at)}: ${what}`));
  const given = new Map<string, Given>();
  // Nothing, or `---` alone.
  if (!root || (isScalar(root) && root.value === null)) return [];
  const seen = new Set<string>();

  const walk = (node: ParsedNode, prefix: string) => {
    if (!isMap(node)) {
      const what = prefix === '' ? 'The file' : prefix.slice(0, -1);
      return mistakes.add(`${place(node.range?.[0])}: ${what} takes keys with values, such as "port: 8080".`);
    }
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      const full = prefix + name;
      const at = place(key?.range?.[0]);
      if (seen.has(full)) mistakes.add(`${at}: ${shortened(full)} is there twice. Keep one.`);
      seen.add(full);
      if (isKey(full)) {
        const raw = rawValueOf(value);
        if (raw === NO_VALUE)
          mistakes.add(`${at}: ${full} takes a value or a list of values, nothing deeper.`);
        else given.set(full, { path: full, raw, from: `${at}: ${full}`, base: dirname(path) });
      } else if (prefix === '' && full !== 'general' && Object.hasOwn(GROUPS, full)) {
        // A group whose keys are all comments.
        if (value && !(isScalar(value) && value.value === null)) walk(value, `${full}.`);
      } else {
        const meant = mistakes.full ? undefined : nearestKey(full, name);
        mistakes.add(`${at}: There is no key ${shortened(full)}.${meant ? ` Did you mean ${meant}?` : ''}`);
      }
    }
  };
  walk(root, '');
  return [...given.values()];
}

const NO_VALUE = Symbol('a value that no key takes');

function rawValueOf(node: unknown): unknown {
  if (node === null) return null;
  if (isScalar(node)) return node.value;
  if (isSeq(node) && node.items.every((item) => isScalar(item)))
    return node.items.map((item) => (isScalar(item) ? item.value : null));
  return NO_VALUE;
}

/** The name as it stands, or without its group, as `tcpPort`. */
function nearestKey(full: string, name: string): string | undefined {
  const meant = nearest(full, [...KEY_PATHS, ...Object.keys(GROUPS)]);
  if (meant) return meant;
  return KEY_PATHS.find(
    (path) => path.includes('.') && nearest(name, [path.split('.')[1]!], 1) !== undefined,
  );
}

function shortened(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}

function parse(
  text: string,
  lineCounter: LineCounter,
  wrong: (at: number | undefined, what: string) => void,
): ParsedNode | null {
  if (isTooDeep(text)) {
    wrong(undefined, 'It is nested too deep for a configuration.');
    return null;
  }
  try {
    // Duplicates are looked for by the reader: the parser compares every pair of keys, which takes minutes for a
    // hostile file. An alias is refused as a value there, so that nothing is ever expanded.
    const document = parseDocument(text, {
      lineCounter,
      uniqueKeys: false,
      prettyErrors: false,
      version: '1.2',
      schema: 'core',
      logLevel: 'error',
    });
    for (const error of document.errors) wrong(error.pos[0], `This is no YAML: ${error.message}.`);
    return document.errors.length > 0 ? null : document.contents;
  } catch (error) {
    wrong(undefined, `This is no YAML: ${error instanceof Error ? error.message : 'the reason is unknown'}.`);
    return null;
  }
}

/** Depth of brackets and of indentation, before any parser recurses. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > MOST_DEPTH) return true;
  }
  // `- - - -` and `? ? ? ?` open a level each on one line.
  return new RegExp(`(?:[-?:]\\s+){${MOST_DEPTH},}`).test(text);
}
