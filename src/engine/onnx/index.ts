export { type DataType, GraphBuilder, type InitializerData } from './graph-builder.ts';
