import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { RUNTIME_FOLDER, runtimeFiles } from './src/app/pwa/build/names.ts';
import { serviceWorker } from './src/app/pwa/build/service-worker.ts';
import { newestFonts } from './src/app/rich/build/newest-fonts.ts';

/** onnxruntime-web's files, and its version. */
const ORT = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
const ORT_VERSION: string = JSON.parse(await readFile(join(ORT, '../package.json'), 'utf8')).version;

/**
 * Serves onnxruntime's own files from /ort/: it loads them itself, so their names must stay as they are. The page has
 * them below their version, so that a tab that stays open over an update never gets those of another; a test's page,
 * whose root is elsewhere, has them in /ort/ itself.
 */
function onnxRuntimeFiles(): Plugin {
  let out = '';
  let folder = RUNTIME_FOLDER;
  return {
    name: 'onnxruntime-files',
    apply: 'build',
    config({ root = import.meta.dirname }) {
      if (root === import.meta.dirname) folder += `${ORT_VERSION}/`;
      return { define: { 'import.meta.env.SHOAL_ORT': JSON.stringify(folder) } };
    },
    configResolved(config) {
      out = join(config.root, config.build.outDir, folder);
    },
    async closeBundle() {
      await mkdir(out, { recursive: true });
      for (const file of runtimeFiles()) await copyFile(join(ORT, file), join(out, file));
    },
  };
}

/**
 * Code made from text is what the page's Content-Security-Policy forbids, and what a library may try without need. Seen
 * here, it fails the build instead of a visitor's tab.
 */
function refuseEval(): Plugin {
  return {
    name: 'refuse-eval',
    apply: 'build',
    generateBundle(_options, bundle) {
      for (const output of Object.values(bundle)) {
        // A call of the constructor, with or without `new`; not a method or a longer name that ends in it.
        const found =
          output.type === 'chunk' && /.{0,60}(?<![.\w$#])(?:Function|eval)\(.{0,60}/.exec(output.code);
        if (found) this.error(`${output.fileName} makes code from text: ${found[0]}`);
      }
    },
  };
}

/**
 * /sdk.js, whose name must stay, only points at the code, whose name changes with it: the page itself uses that code, and
 * a tab that stays open over an update of its relay must not get another.
 */
function programmableDoor(): Plugin {
  return {
    name: 'programmable-door',
    apply: 'build',
    generateBundle(_options, bundle) {
      const found = Object.values(bundle).find((output) => output.type === 'chunk' && output.name === 'sdk');
      if (!found) return;
      this.emitFile({ type: 'asset', fileName: 'sdk.js', source: `export * from './${found.fileName}';\n` });
    },
  };
}

export default defineConfig({
  plugins: [
    react(),
    onnxRuntimeFiles(),
    refuseEval(),
    newestFonts(),
    programmableDoor(),
    serviceWorker({ runtimeVersion: ORT_VERSION, plugins: [refuseEval()] }),
  ],
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', 'module', 'browser', 'import', 'default'] },
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    // No data: URLs and no inline polyfill, so that the strict CSP holds.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: 'index.html', sdk: 'src/sdk/web.ts' },
      // The sdk is a library: its exports must survive.
      preserveEntrySignatures: 'strict',
      output: {
        // What the first view shares with others comes in two files instead of a dozen: each would cost a round trip. The
        // sdk gets none of the page.
        codeSplitting: {
          groups: [
            { name: 'sdk-early', test: /\/src\/sdk\/|vite\/preload-helper/, minShareCount: 2, priority: 2 },
            { name: 'shared', test: /\/src\/app\/|\/node_modules\/react/, minShareCount: 2, priority: 1 },
          ],
        },
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
});
