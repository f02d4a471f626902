import type { Engine } from '../src/engine/index.ts';
import { tokenAt } from './side.ts';
import { median } from './statistics.ts';
import { ms, type Table, times } from './table.ts';

const SESSIONS = 8;
const PROMPT_TOKENS = 32;
const STEPS = 12;

/** What decoding eight sessions in one run gains over one session alone, in tokens per second of all together. */
export async function batch(
  engines: readonly { name: string; engine: Engine }[],
  rounds: number,
): Promise<Table> {
  const rows: string[][] = [];
  for (const { name, engine } of engines) {
    const alone: number[] = [];
    const together: number[] = [];
    for (let round = -1; round < rounds; round++) {
      const one = await stepMs(engine, 1);
      const all = await stepMs(engine, SESSIONS);
      if (round < 0) continue;
      alone.push(one);
      together.push(all);
    }
    rows.push([
      name,
      ms(median(alone)),
      ms(median(together)),
      times((SESSIONS * median(alone)) / median(together)),
    ]);
  }
  return {
    title: `Node CPU, ${SESSIONS} sessions decoded together`,
    header: ['side', 'step of 1', `step of ${SESSIONS}`, 'tokens/s in all, times one’s'],
    rows,
    notes: [`${rounds} rounds of ${STEPS} steps, one session and ${SESSIONS} in turn.`],
  };
}

async function stepMs(engine: Engine, sessions: number): Promise<number> {
  const { vocabulary } = engine.info;
  const token = (session: number, at: number) => tokenAt(at + 1000 * session, vocabulary);
  const ids: number[] = [];
  for (let session = 0; session < sessions; session++) {
    const id = await engine.open();
    ids.push(id);
    await engine.forward(id, {
      tokens: Array.from({ length: PROMPT_TOKENS }, (_, at) => token(session, at)),
    });
  }
  const step = (at: number) =>
    engine.decode(ids.map((id, session) => ({ session: id, input: { tokens: [token(session, at)] } })));
  // The first joins the caches.
  await step(PROMPT_TOKENS);
  const start = performance.now();
  for (let at = 1; at <= STEPS; at++) await step(PROMPT_TOKENS + at);
  const elapsed = performance.now() - start;
  for (const id of ids) await engine.close(id);
  return elapsed / STEPS;
}
