/** Names that the page, its service worker and the build have to agree on. */

/** Caches of the page's files, one per build, and of onnxruntime's, one per version. */
export const PAGE_CACHE = 'shoal-page-';
export const RUNTIME_CACHE = 'shoal-ort-';
/** What was shared to the page, until a page takes it. */
export const LAUNCH_CACHE = 'shoal-launched';

/** Where the manifest sends what is shared. */
export const SHARE_TARGET = '/share-target';
export const RUNTIME_FOLDER = '/ort/';

/** The meta element that names the caches a page was built with, apart by a space. */
export const CACHES_META = 'shoal-caches';

/** onnxruntime-web's builds by the engine's back ends: WebGPU with JSPI, WebGPU without, CPU. JSEP computes wrong numbers. */
const KINDS: Readonly<Record<string, string>> = { jspi: '.jspi', webgpu: '.asyncify', wasm: '' };

/** File names of one back end, of all of them by default; none for a back end that does not run in a tab. */
export function runtimeFiles(backend?: string): string[] {
  const kinds = backend === undefined ? Object.values(KINDS) : [KINDS[backend]];
  return kinds
    .filter((kind) => kind !== undefined)
    .flatMap((kind) => ['mjs', 'wasm'].map((extension) => `ort-wasm-simd-threaded${kind}.${extension}`));
}
