export type { ExternalFile } from './external-data.ts';
export type { GraphForm } from './form.ts';
export { ropeTables } from './rope.ts';
export { buildSliceGraph, type SliceGraph } from './slice-graph.ts';
