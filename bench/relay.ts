import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelPath } from './model.ts';
import { againstLlama } from './relay/against-llama.ts';
import { manyClients } from './relay/clients.ts';
import { flood } from './relay/flood.ts';
import { manyPeers } from './relay/peers.ts';
import { type RelayUnderTest, startRelayProcess } from './relay/process.ts';
import type { Table } from './table.ts';

/** The relay as a server, from other processes: many peers, many clients, a flood, and llama.cpp's server beside it. */
export async function relayBench(rounds: number, say: (line: string) => void): Promise<Table[]> {
  const tables: Table[] = [];
  const measure = async (
    what: string,
    flags: readonly string[],
    run: (relay: RelayUnderTest) => Promise<Table>,
  ) => {
    say(`relay: ${what}`);
    const data = await mkdtemp(join(tmpdir(), 'shoal-bench-'));
    const relay = await startRelayProcess(data, ['--model', modelPath(), ...flags]);
    try {
      tables.push(await run(relay));
    } finally {
      await relay.process.stop();
      await rm(data, { recursive: true, force: true });
    }
  };
  await measure('500 peers', ['--layers', 'none'], manyPeers);
  await measure('64 clients of the API', [], manyClients);
  await measure('a flood from one address', [], (relay) => flood(relay, Math.max(5, rounds)));
  await measure('against llama.cpp’s server', ['--hosting-threads', '2'], (relay) =>
    againstLlama(relay, rounds, say),
  );
  return tables;
}
