/** Rows with their columns aligned; numbers should come formatted. */
export function table(rows: readonly (readonly string[])[], indent = '  '): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  return rows
    .map(
      (row) =>
        indent + row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Text of strangers for a terminal: without control characters, which could move its cursor, and shortened. */
export function plain(text: unknown, most = 80): string {
  if (typeof text !== 'string' && typeof text !== 'number') return '?';
  return String(text)
    .replace(/\p{Cc}/gu, '?')
    .slice(0, most);
}
