/** A table of the report; cells are ready to print. */
export interface Table {
  title: string;
  header: string[];
  rows: string[][];
  /** Lines under the table: what was done, and what it means. */
  notes: string[];
}

/** GitHub's Markdown, with columns padded so that it also reads well on a terminal. */
export function markdown({ title, header, rows, notes }: Table): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(3, ...all.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [
    `### ${title}`,
    '',
    line(header),
    rule,
    ...rows.map(line),
    '',
    ...notes.map((note) => `- ${note}`),
  ].join('\n');
}

export function ms(value: number): string {
  return `${value < 1000 ? value.toPrecision(3) : Math.round(value)} ms`;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export function times(ratio: number): string {
  return ratio.toFixed(2);
}

/** A target beside its number; `at least` for speeds, `at most` for memory. */
export function verdict(value: number, kind: 'at least' | 'at most', target: number): string {
  const met = kind === 'at least' ? value >= target : value <= target;
  return `${kind === 'at least' ? '≥' : '≤'} ${target}: ${met ? 'met' : 'missed'}`;
}
