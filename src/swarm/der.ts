/** DER as in X.690: tag, length, content. What a self-signed certificate needs of it and no more. */

export function element(tag: number, ...content: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content);
  const length = body.length < 0x80 ? [body.length] : longLength(body.length);
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

export const sequence = (...parts: Uint8Array[]) => element(0x30, ...parts);
export const set = (...parts: Uint8Array[]) => element(0x31, ...parts);
export const utf8 = (text: string) => element(0x0c, Buffer.from(text));
/** `YYYYMMDDHHMMSSZ` */
export const generalizedTime = (text: string) => element(0x18, Buffer.from(text));
/** Whole bytes; the one before them counts the unused bits. */
export const bitString = (bytes: Uint8Array) => element(0x03, Uint8Array.of(0), bytes);
/** Positive, big-endian. */
export const integer = (bytes: Uint8Array) =>
  element(0x02, ...((bytes[0] ?? 0) >= 0x80 ? [Uint8Array.of(0)] : []), bytes);
/** `1.2.840.10045.4.3.2` */
export function objectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

function longLength(length: number): number[] {
  const digits: number[] = [];
  for (let left = length; left > 0; left >>>= 8) digits.unshift(left & 0xff);
  return [0x80 | digits.length, ...digits];
}
