import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { metricsDocument } from './docs-text.ts';
import { createMeters } from './meters.ts';
import { METRICS } from './metric-table.ts';

it('docs/metrics.md is what the table says; npx tsx relay/watch/write-docs.ts writes it', async () => {
  const written = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  expect(written).toBe(metricsDocument());
});

/** What stands between the fences of YAML. */
function examples(): unknown[] {
  return [...metricsDocument().matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => parse(text));
}

it('the examples are YAML, with five rules that watch metrics and labels which exist', async () => {
  const [scrape, alerts] = examples() as [
    { scrape_configs: unknown[] },
    { groups: { rules: { alert: string; expr: string }[] }[] },
  ];
  expect(scrape.scrape_configs).toHaveLength(1);
  const rules = alerts.groups.flatMap((group) => group.rules);
  expect(rules).toHaveLength(5);
  for (const { expr } of rules) {
    for (const [name, label] of [...expr.matchAll(/(shoal_\w+)(?:\{(\w+)=)?/g)].map((match) =>
      match.slice(1),
    )) {
      const metric = Object.entries(METRICS).find(([known]) => name === known || name === `${known}_bucket`);
      expect(metric, name).toBeDefined();
      if (label) expect(metric?.[1].labels).toContain(label);
    }
  }
});

it('names and kinds follow the customs: counters end in _total, times are in seconds', async () => {
  for (const [name, { kind }] of Object.entries(METRICS)) {
    expect(name.endsWith('_total'), name).toBe(kind.endsWith('counter'));
    if (kind === 'histogram') expect(name).toMatch(/_seconds$/);
  }
  expect(await createMeters({ gauges: {} }).metricsText()).toContain('le="60"');
});
