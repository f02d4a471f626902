import { expect, test } from '@playwright/test';
import { TestRelay } from '../network/relay.ts';
import { Tab } from '../network/tab.ts';

const QUESTION = {
  messages: [{ role: 'user' as const, content: 'What is the capital of France?' }],
  max_tokens: 16,
};

interface Told {
  peer: string;
  addresses: string[];
  relays: { peer: string }[];
}

async function told(relay: TestRelay): Promise<Told> {
  return (await fetch(`${relay.url}/network.json`)).json();
}

test('a tab of one relay gets its answer from tabs that know only the other', async ({ browser }) => {
  test.setTimeout(240_000);
  const relays: TestRelay[] = [];
  const tabs: Tab[] = [];
  const open = async (relay: TestRelay) => {
    const tab = await Tab.open(browser, relay.url);
    tabs.push(tab);
    return tab;
  };
  try {
    const first = await TestRelay.start('none');
    relays.push(first);
    const second = await TestRelay.start('none', ['--join', first.url]);
    relays.push(second);
    await expect.poll(async () => (await told(first)).relays.length).toBe(1);
    expect((await told(first)).relays[0]!.peer).toBe((await told(second)).peer);

    const alone = await open(first);
    const { text } = await alone.ask({ ...QUESTION, route: 'local' });
    const hosts = [await open(second), await open(second)];
    const peers = [await hosts[0]!.share(2, 16), await hosts[1]!.share(16, 30)];

    const answer = await alone.ask(QUESTION);
    expect(answer.shoal.hops.map(({ peer, path }) => [peer, path])).toEqual(
      peers.map((peer) => [peer, 'direct']),
    );
    expect(answer.text).toBe(text);

    // And the other way round: the relay that was joined first has a host, the second's tab asks.
    const here = await open(first);
    const near = await here.share(2, 30);
    await Promise.all(hosts.map((tab) => tab.close()));
    const far = await open(second);
    const back = await far.ask(QUESTION);
    expect(back.shoal.hops.map(({ peer }) => peer)).toEqual([near]);
    expect(back.text).toBe(text);
  } finally {
    await Promise.all(tabs.map((tab) => tab.close()));
    await Promise.all(relays.map((relay) => relay.close()));
  }
});

test('a page that knows only a multiaddr is answered by the layers of that relay', async ({ browser }) => {
  test.setTimeout(240_000);
  const page = await TestRelay.start('none');
  const remote = await TestRelay.start('all', ['--webrtc-port', '0']);
  const address = (await told(remote)).addresses.find((one) => one.includes('/webrtc-direct/'));
  const tab = await Tab.open(browser, page.url, { relay: [address!] });
  try {
    const { text, shoal } = await tab.ask(QUESTION);
    expect(text.length).toBeGreaterThan(0);
    expect(shoal.hops.map(({ peer, path }) => [peer, path])).toEqual([[(await told(remote)).peer, 'direct']]);
    // The certificate is the same after a crash, so the address that somebody noted still works.
    await remote.kill();
    await remote.restart();
    expect((await told(remote)).addresses.map(certhash)).toContain(certhash(address!));
  } finally {
    await tab.close();
    await remote.close();
    await page.close();
  }
});

function certhash(address: string): string | undefined {
  return /\/certhash\/[^/]+/.exec(address)?.[0];
}
