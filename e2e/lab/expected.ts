import { readFile } from 'node:fs/promises';
import type { Expected } from '../../src/engine/testing/golden.ts';

/** PyTorch's numbers for a fixture, and how many layers it has. */
export async function readExpected(fixture: string): Promise<{ expected: Expected; layers: number }> {
  const json = async (name: string) =>
    JSON.parse(await readFile(new URL(`../../fixtures/${fixture}/${name}`, import.meta.url), 'utf8'));
  const expected = (await json('expected.json')) as Expected;
  return {
    expected,
    layers: ((await json('config.json')) as { num_hidden_layers: number }).num_hidden_layers,
  };
}
