#!/usr/bin/env node
// Node 20 cannot run TypeScript; tsx can, from any folder, because it is looked for beside this file.
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

// Without it, tsx would take a tsconfig.json of the folder in which somebody happens to be.
register({ tsconfig: fileURLToPath(new URL('../tsconfig.json', import.meta.url)) });
await import('../relay/main.ts');
