import { FIELDS } from '../fields.ts';

/** The table of docs/api.md, as Markdown. */
export function fieldTable(): string {
  const rows = FIELDS.map(({ name, endpoints, support, takes }) => {
    const where = endpoints.length === 2 ? 'both' : endpoints[0]!;
    return `| \`${name}\` | ${where} | ${support} | ${takes.replaceAll('|', '\\|')} |`;
  });
  return ['| field | endpoint | what becomes of it | taken |', '|---|---|---|---|', ...rows].join('\n');
}
