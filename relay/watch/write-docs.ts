/** Writes docs/metrics.md: `npx tsx relay/watch/write-docs.ts`. */
import { writeFile } from 'node:fs/promises';
import { metricsDocument } from './docs-text.ts';

await writeFile(new URL('../../docs/metrics.md', import.meta.url), metricsDocument());
