import { expect, test } from '@playwright/test';
import { Tokenizer } from '../../src/chat/index.ts';
import { defaultModelHeader } from '../../src/model/testing/default-model.ts';
import { tokenizerSpecFromGguf } from '../../src/model/tokenizer/index.ts';
import { readable } from '../../src/sdk/testing/readable.ts';
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
        expect(prompt.length).toBeGreaterThan(3);
        expect(readable(traffic, `${content} ${text}`, prompt)).toEqual([]);
        expect(readable(traffic, '', shoal.token_ids)).toEqual([]);
      }
    }
    expect(bytes).toBeGreaterThan(50 * 20 * 576 * 4);

    // The recorder can see: in light mode the ids are there.
    const content = WISHES[0]!(PLACES[0]!);
    await client.ask({ messages: [{ role: 'user', content }], max_tokens: 4, privacy: 'light' });
    const traffic = Buffer.concat(await client.recorded());
    expect(readable(traffic, '', tokenizer.encode(content, { special: false }))).not.toEqual([]);
  } finally {
    await Promise.all([client, host].map((tab) => tab.close()));
    await relay.close();
  }
});
