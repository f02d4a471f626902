import { launchChromium } from '../e2e/lab/launch.ts';
import { startLab } from '../e2e/lab/server.ts';
import { manifestCid } from '../src/model/index.ts';
import { MODEL_FOLDER, wholeModel } from './model.ts';
import { wireTypes } from './network/agreement.ts';
import { ChainLab } from './network/chain-lab.ts';
import { crowd } from './network/crowd.ts';
import { findTime } from './network/find.ts';
import { losses } from './network/losses.ts';
import { startRelay } from './network/relay.ts';
import { prefillOverlap, tokenTime } from './network/speed.ts';
import type { Pool } from './network/tab.ts';
import { hopTrips } from './network/trips.ts';
import type { Table } from './table.ts';

/** Tabs that compute together: what the wire adds, what a loss costs, what company gains. */
export async function networkBench(rounds: number, say: (line: string) => void): Promise<Table[]> {
  const { manifest } = await wholeModel();
  const relay = await startRelay();
  const lab = await startLab({ page: 'bench/network/web', folders: { '/models/': MODEL_FOLDER } });
  const browser = await launchChromium();
  const pool: Pool = {
    browser,
    lab,
    relay: relay.address,
    model: { manifest, cid: await manifestCid(manifest) },
  };
  const tables: Table[] = [];
  try {
    say('network: round trips');
    tables.push(await hopTrips(pool, relay, rounds));
    say('network: a chain of three tabs');
    const chain = await ChainLab.open(pool);
    try {
      tables.push(await tokenTime(chain, rounds));
      say('network: prefill with and without overlap');
      tables.push(await prefillOverlap(chain, rounds));
      say('network: finding hosts');
      tables.push(await findTime(chain, rounds));
      say('network: eight clients at once');
      tables.push(await crowd(chain, rounds));
      say('network: hops lost in mid-answer');
      tables.push(await losses(chain, rounds));
    } finally {
      await chain.close();
    }
  } finally {
    await browser.close();
    await lab.close();
    await relay.close();
  }
  say('network: smaller forms on the wire');
  tables.push(await wireTypes());
  return tables;
}
