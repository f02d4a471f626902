import { describe, expect, test } from 'vitest';
import { CID } from '../host/testing/hand-client.ts';
import { LAYERS } from '../host/testing/world.ts';
import { decodeMessage, encodeMessage } from '../wire/index.ts';
import { ChainPeers } from './peers.ts';
import { aloneText, ChainWorld, greedily, PROMPT, say } from './testing/chain-world.ts';

async function peersOf(world: ChainWorld, more: { only?: string[]; standIn?: string[] }) {
  const transport = world.network.find('client') ?? world.network.join('client');
  const directory = world.network.directory('client');
  const { clock } = world;
  return new ChainPeers({ transport, directory, clock, cid: CID, layers: LAYERS, agent: 'test/1', ...more });
}

describe('chains that share what they know of their peers', () => {
  test('run at once, each with its own session, and ask a peer once', async () => {
    const world = new ChainWorld();
    await world.hosts3();
    const peers = await peersOf(world, {});
    const chains = [await world.chain({ peers }), await world.chain({ peers, maxTokens: 64 })];
    expect(chains.map(({ info }) => info.maxTokens)).toEqual([512, 64]);
    const sessions = await Promise.all(chains.map((chain) => chain.open()));
    const said = await Promise.all(chains.map((chain, i) => say(chain, sessions[i]!, PROMPT, 6)));
    const alone = await aloneText(PROMPT, 6);
    expect(said).toEqual([alone, alone]);
    const hellos = world.network
      .find('client')!
      .sent.filter(({ to, frame }) => to === 'a' && decodeMessage(frame.slice(4)).kind === 'hello');
    expect(peers.known().sort()).toEqual(['a', 'b', 'c']);
    expect(hellos).toHaveLength(1);
    // Closing one leaves the other as it is.
    await chains[0]!.dispose();
    const { logits } = await chains[1]!.forward(sessions[1]!, { tokens: [1] });
    expect(logits).toHaveLength(32);
    await chains[1]!.dispose();
    peers.dispose();
  });

  test('over known peers only: no directory is asked, and nobody else', async () => {
    const world = new ChainWorld();
    await world.hosts3();
    await world.host({ peer: 'all', start: 0, end: LAYERS });
    const chain = await world.chain({ privacy: 'light', only: ['all'] });
    expect(chain.status().hops.map(({ peer }) => peer)).toEqual(['all']);
    const others = world.network.find('client')!.sent.filter(({ to }) => to !== 'all');
    expect(others).toEqual([]);
    await chain.dispose();
    await expect(world.chain({ only: ['b'] })).rejects.toMatchObject({
      code: 'no-cover',
      missing: [
        { start: 2, end: 5 },
        { start: 8, end: 12 },
      ],
    });
  });

  test('a stand-in that no directory names takes over at a loss', async () => {
    const world = new ChainWorld();
    await world.hosts3();
    const own = world.join('client');
    await own.host.lend(world.slice(own.diary, 0, LAYERS, { ownUse: true }));
    const chain = await world.chain({ standIn: ['client'] });
    expect(chain.status().hops.map(({ peer }) => peer)).toEqual(['a', 'b', 'c']);
    const session = await chain.open();
    const said = await world.passing(
      say(chain, session, PROMPT, 12, { after: (count) => count === 5 && world.network.kill('b') }),
    );
    expect(said).toEqual(await aloneText(PROMPT, 12));
    expect(chain.status().hops.map(({ peer }) => peer)).toEqual(['a', 'client', 'c']);
    await chain.dispose();
  });
});

describe('log-probabilities in light mode', () => {
  test('come with the token when they were asked for; a hop that sends none is not believed', async () => {
    const world = new ChainWorld();
    await world.host({ peer: 'all', start: 0, end: LAYERS });
    const chain = await world.chain({ privacy: 'light' });
    const session = await chain.open();
    const plain = await chain.forward(session, { tokens: PROMPT }, { sample: greedily(0) });
    expect(plain).not.toHaveProperty('logprobs');
    const asked = { ...greedily(1), logprobs: 3 };
    const { logprobs, token, hopMs } = await chain.forward(
      session,
      { tokens: [plain.token!] },
      { sample: asked },
    );
    expect(logprobs!.top).toHaveLength(3);
    expect(logprobs!.top[0]!.logprob).toBeLessThanOrEqual(0);
    expect(logprobs!.logprob).toBeLessThanOrEqual(logprobs!.top[0]!.logprob);
    expect(hopMs).toHaveLength(1);
    // The same token once more, but without what was asked for.
    world.onMessage((from, to, message) => {
      if (message.kind !== 'token' || message.logprob === undefined) return true;
      const { logprob: _, ...bare } = message;
      queueMicrotask(() => world.network.find(to)!.receive(from, encodeMessage(bare).slice(4)));
      return false;
    });
    const lied = chain.forward(session, { tokens: [token!] }, { sample: { ...asked, drawn: 2 } });
    await expect(world.passing(lied)).rejects.toMatchObject({
      code: 'no-cover',
      message: expect.stringContaining('log-probabilities'),
    });
    await chain.dispose();
  });
});
