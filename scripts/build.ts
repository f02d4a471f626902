import { fileURLToPath } from 'node:url';
import { buildPage } from '../relay/build.ts';

await buildPage(fileURLToPath(new URL('..', import.meta.url)), { force: true });
