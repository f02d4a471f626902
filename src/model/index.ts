export * from './catalogue.ts';
export * from './errors.ts';
export { type FetchOptions, type FetchProgress, fetchRange, fetchTensors } from './fetch.ts';
export { type HttpOptions, HttpSource } from './http-source.ts';
export { encodeManifest, type HashOptions, makeManifest, manifestCid } from './manifest.ts';
export { MAX_MANIFEST_BYTES, parseManifest } from './manifest-parse.ts';
export { MemoryStore } from './memory-store.ts';
export { openModelFiles } from './open.ts';
export type { OpenedModel } from './opened.ts';
export { readTokenizer } from './read-tokenizer.ts';
export { sliceBytes, sliceTensors, wholeSlice } from './slice.ts';
export type { Alternative } from './source-list.ts';
export { BlobSource, MemorySource } from './sources.ts';
export {
  ContentStore,
  type ModelStore,
  type StoreFiles,
  type StoreFolder,
  type StoreUsage,
} from './store.ts';
export { TENSOR_TYPES, tensorBytes } from './tensor-types.ts';
export * from './types.ts';
export { sourcesFromUrl } from './url-sources.ts';
export { readerOfMemory, readerOfSources, readerOfStore } from './weights.ts';
