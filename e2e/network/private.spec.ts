import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { Tokenizer } from '../../src/chat/index.ts';
import { defaultModelHeader } from '../../src/model/testing/default-model.ts';
import { tokenizerSpecFromGguf } from '../../src/model/tokenizer/index.ts';
import { TestRelay } from './relay.ts';
import { Tab } from './tab.ts';

const PLACES = [
  'Norway',
  'Bolivia',
  'Kenya',
  'Vietnam',
  'Portugal',
  'Mongolia',
  'Iceland',
  'Morocco',
  'Peru',
  'Nepal',
];
const WISHES = [
  (place: string) => `My secret plan is to travel to ${place} in winter with my brother.`,
  (place: string) => `Nobody may know that I lost my passport in ${place} yesterday evening.`,
  (place: string) => `Write to my doctor that the medicine from ${place} did not help me.`,
  (place: string) => `Explain the tax rules of ${place} for somebody who inherited a house.`,
  (place: string) => `Advise me what to tell a friend from ${place} who wants to borrow money.`,
];

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

function leaks(traffic: Buffer, text: string, ids: readonly number[]): string[] {
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

test('no text and no token ids leave a tab in private mode, over 50 prompts', async ({ browser }) => {
  test.setTimeout(300_000);
  const tokenizer = new Tokenizer(tokenizerSpecFromGguf((await defaultModelHeader()).metadata)!);
  const relay = await TestRelay.start('none');
  const host = await Tab.open(browser, relay.url);
  // Room for the head as well, which light mode runs at the host.
  await host.share(0, 30, 2 ** 30);
  const client = await Tab.open(browser, relay.url);
  try {
    // Once before the recorder runs: loading the client's part is not at issue.
    await client.ask({ messages: [{ role: 'user', content: 'Hello' }], max_tokens: 1 });
    await client.record(true);
    let bytes = 0;
    for (const place of PLACES) {
      for (const wish of WISHES) {
        const content = wish(place);
        const { text, shoal } = await client.ask({ messages: [{ role: 'user', content }], max_tokens: 4 });
        expect(shoal.route).toBe('network');
        const pieces = await client.recorded();
        const traffic = Buffer.concat(pieces);
        // The hidden states of the prompt did go out, over this recorder.
        expect(traffic.length).toBeGreaterThan(20 * 576 * 4);
        bytes += traffic.length;
        const prompt = tokenizer.encode(content, { special: false });
        expect(prompt.length).toBeGreaterThan(RUN);
        expect(leaks(traffic, `${content} ${text}`, prompt)).toEqual([]);
        expect(leaks(traffic, '', shoal.token_ids)).toEqual([]);
      }
    }
    expect(bytes).toBeGreaterThan(50 * 20 * 576 * 4);

    // The recorder can see: in light mode the ids are there.
    const content = WISHES[0]!(PLACES[0]!);
    await client.ask({ messages: [{ role: 'user', content }], max_tokens: 4, privacy: 'light' });
    const traffic = Buffer.concat(await client.recorded());
    expect(leaks(traffic, '', tokenizer.encode(content, { special: false }))).not.toEqual([]);
  } finally {
    await Promise.all([client, host].map((tab) => tab.close()));
    await relay.close();
  }
});
