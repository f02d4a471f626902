import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';
import type { AxeResults } from 'axe-core';

let source: Promise<string> | null = null;

/**
 * What axe finds wrong on a page, a line for each kind with the places; empty when nothing is. Its code is put in through
 * the debugger, because the page's content security policy lets no script in.
 * @param within a selector; default: the whole page
 */
export async function violations(page: Page, within?: string): Promise<string[]> {
  source ??= readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8');
  const script = await source;
  const present = await page.evaluate(() => 'axe' in window);
  if (!present) await page.evaluate(script);
  const found: AxeResults['violations'] = await page.evaluate(async (selector) => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    return (await axe.run(selector ?? document)).violations;
  }, within);
  return found.map(({ id, help, nodes }) => {
    const places = nodes.map(({ target, failureSummary }) => `${target.join(' ')} — ${failureSummary}`);
    return `${id}: ${help}\n${places.join('\n')}`;
  });
}
