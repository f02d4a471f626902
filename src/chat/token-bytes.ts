import type { TokenizerSpec } from '../model/index.ts';

/** How a vocabulary writes bytes in the text of its tokens. */
export interface TokenAlphabet {
  /** GPT-2's: each byte is one printable character. */
  byteLevel: boolean;
  /** SentencePiece's: "▁" is a space, "<0x0A>" a byte. */
  byteFallback: boolean;
  /** The first space of a text was added by the encoder and goes away again. */
  stripFirstSpace: boolean;
}

interface DecoderStep {
  type?: string;
  decoders?: unknown;
  content?: string;
  start?: number;
  prepend_scheme?: string;
  add_prefix_space?: boolean;
}

/** Reads the `decoder` of a tokenizer.json. */
export function tokenAlphabet(spec: TokenizerSpec): TokenAlphabet {
  const steps = flatten(spec.tokenizer.decoder, 0);
  return {
    byteLevel: steps.some((step) => step.type === 'ByteLevel'),
    byteFallback: steps.some((step) => step.type === 'ByteFallback'),
    stripFirstSpace: steps.some(
      (step) =>
        (step.type === 'Strip' && step.content === ' ' && (step.start ?? 0) > 0) ||
        (step.type === 'Metaspace' && step.prepend_scheme !== 'never' && step.add_prefix_space !== false),
    ),
  };
}

function flatten(value: unknown, depth: number): DecoderStep[] {
  if (typeof value !== 'object' || value === null || depth > 8) return [];
  const step = value as DecoderStep;
  if (!Array.isArray(step.decoders)) return [step];
  return step.decoders.slice(0, 64).flatMap((inner) => flatten(inner, depth + 1));
}

const encoder = new TextEncoder();

/** Byte of each character of GPT-2's alphabet: printable Latin-1 stands for itself, the rest follows from U+0100. */
const BYTE_OF: ReadonlyMap<string, number> = (() => {
  const bytes = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    bytes.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  return bytes;
})();

const HEX_BYTE = /^<0x([0-9A-Fa-f]{2})>$/;

/** The bytes that a token adds to a text, which need not be whole characters. */
export function tokenBytes(text: string, alphabet: TokenAlphabet): Uint8Array {
  if (alphabet.byteLevel) {
    const bytes: number[] = [];
    for (const character of text) {
      const byte = BYTE_OF.get(character);
      if (byte === undefined) bytes.push(...encoder.encode(character));
      else bytes.push(byte);
    }
    return Uint8Array.from(bytes);
  }
  const hex = alphabet.byteFallback ? HEX_BYTE.exec(text) : null;
  if (hex) return Uint8Array.of(Number.parseInt(hex[1]!, 16));
  return encoder.encode(text.replaceAll('▁', ' '));
}
