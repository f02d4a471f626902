/** The tokenizer a model file carries, in the one form that `chat/` takes. */
export { tokenizerSpecFromGguf } from './gguf.ts';
export { tokenizerSpecFromHuggingFace } from './huggingface.ts';
