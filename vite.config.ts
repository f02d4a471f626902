import { copyFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** The three builds the engine may start: WebGPU with JSPI, WebGPU without, CPU. JSEP computes wrong numbers. */
const RUNTIMES = ['.jspi', '.asyncify', ''].flatMap((kind) =>
  ['mjs', 'wasm'].map((extension) => `ort-wasm-simd-threaded${kind}.${extension}`),
);

/** Serves onnxruntime's own files from /ort/: it loads them itself, so their names must stay as they are. */
function onnxRuntimeFiles(): Plugin {
  const folder = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  let out = '';
  return {
    name: 'onnxruntime-files',
    apply: 'build',
    configResolved(config) {
      out = join(config.root, config.build.outDir, 'ort');
    },
    async closeBundle() {
      await mkdir(out, { recursive: true });
      for (const file of RUNTIMES) await copyFile(join(folder, file), join(out, file));
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

export default defineConfig({
  plugins: [react(), onnxRuntimeFiles(), refuseEval()],
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', 'module', 'browser', 'import', 'default'] },
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    // No data: URLs and no inline polyfill, so that the strict CSP holds.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: 'index.html', sdk: 'src/sdk/web.ts' },
      // /sdk.js is a library: its exports must survive.
      preserveEntrySignatures: 'strict',
      output: {
        entryFileNames: (chunk) => (chunk.name === 'sdk' ? 'sdk.js' : 'assets/[name]-[hash].js'),
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
});
