export { decodeMessage, encodeMessage } from './codec.ts';
export { FrameReader, frame } from './frame.ts';
export {
  decodeHidden,
  decodeTokens,
  encodeHidden,
  encodeTokens,
  type HiddenType,
  payloadBytes,
} from './hidden.ts';
export * from './limits.ts';
export { decodeNative, encodeNative } from './native.ts';
export * from './types.ts';
