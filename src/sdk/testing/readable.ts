import { readFileSync } from 'node:fs';

/** Every way in which a run of token ids could be written that a reader would recognise. */
function writings(ids: readonly number[]): Buffer[] {
  const u16 = Buffer.alloc(ids.length * 2);
  const u16be = Buffer.alloc(ids.length * 2);
  const u32 = Buffer.alloc(ids.length * 4);
  const u32be = Buffer.alloc(ids.length * 4);
  const f32 = Buffer.alloc(ids.length * 4);
  const cbor: number[] = [];
  ids.forEach((id, i) => {
    u16.writeUInt16LE(id, i * 2);
    u16be.writeUInt16BE(id, i * 2);
    u32.writeUInt32LE(id, i * 4);
    u32be.writeUInt32BE(id, i * 4);
    f32.writeFloatLE(id, i * 4);
    if (id < 24) cbor.push(id);
    else if (id < 256) cbor.push(0x18, id);
    else cbor.push(0x19, id >> 8, id & 255);
  });
  return [
    u16,
    u16be,
    u32,
    u32be,
    f32,
    Buffer.from(cbor),
    Buffer.from(ids.join(',')),
    Buffer.from(ids.join(', ')),
  ];
}

/** Three tokens in a row are a sequence; shorter runs occur in any noise. */
const RUN = 3;

/** Names of fields are in every frame: they say nothing of what was typed. */
const FIELDS = new Set(
  readFileSync('src/wire/types.ts', 'utf8')
    .toLowerCase()
    .match(/\p{L}{6,}/gu),
);

/** What of a text, by its words of six letters and more, and of its token ids can be read in the traffic. */
export function readable(traffic: Buffer, text: string, ids: readonly number[]): string[] {
  const found: string[] = [];
  for (const word of new Set(text.match(/\p{L}{6,}/gu) ?? [])) {
    if (FIELDS.has(word.toLowerCase())) continue;
    for (const encoding of ['utf8', 'utf16le'] as const) {
      if (traffic.includes(Buffer.from(word, encoding))) found.push(`the word ${word}`);
    }
  }
  for (let at = 0; at + RUN <= ids.length; at++) {
    for (const writing of writings(ids.slice(at, at + RUN))) {
      // Too short to mean anything: "1,2,3" as CBOR is three bytes.
      if (writing.length >= 5 && traffic.includes(writing)) found.push(`tokens at ${at}`);
    }
  }
  return found;
}
