import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const START = '<!-- bench: written by `npm run bench`, from here -->';
const END = '<!-- bench: to here -->';
const PATH = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const EMPTY = `# Performance

What \`npm run bench\` measured. Every comparison runs both sides in turn in one run; ratios are of medians.

${START}
${END}
`;

/** Puts the report between its two marks in docs/performance.md; what stands around them is kept. */
export async function writeReport(report: string): Promise<void> {
  const page = existsSync(PATH) ? await readFile(PATH, 'utf8') : EMPTY;
  await writeFile(PATH, replaceReport(page, report));
}

/** @throws Error when the marks are gone: then nobody knows where the report belongs */
export function replaceReport(page: string, report: string): string {
  const start = page.indexOf(START);
  const end = page.indexOf(END);
  if (start < 0 || end < start)
    throw new Error(`docs/performance.md has lost its marks; put these two lines back:\n${START}\n${END}`);
  return `${page.slice(0, start + START.length)}\n\n${report.trim()}\n\n${page.slice(end)}`;
}
