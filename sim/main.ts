import { parseArgs } from 'node:util';
import { FAULTS } from './faults.ts';
import { runSeed } from './run.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3000' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string' },
  },
});

if (values.seed !== undefined) {
  const report = await runSeed(Number(values.seed), {
    onEvent: (at, actor, label) => console.log(`${at.toFixed(3).padStart(12)} ${actor.padEnd(6)} ${label}`),
  });
  console.log(report.hits, report.ends, `trace ${report.trace}`);
  for (const line of report.broken) console.log(`BROKEN ${line}`);
  process.exitCode = report.broken.length > 0 ? 1 : 0;
} else {
  const hits = new Map<string, number>(FAULTS.map(({ name }) => [name, 0]));
  const ends = new Map<string, number>();
  const started = performance.now();
  let failed = 0;
  const from = Number(values.from);
  const count = Number(values.seeds);
  for (let seed = from; seed < from + count; seed++) {
    const report = await runSeed(seed);
    for (const [name, times] of report.hits) hits.set(name, (hits.get(name) ?? 0) + times);
    for (const end of report.ends) ends.set(end, (ends.get(end) ?? 0) + 1);
    if (report.broken.length === 0) continue;
    failed++;
    console.log(`seed ${seed} (npm run sim -- --seed ${seed})`);
    for (const line of report.broken.slice(0, 5)) console.log(`  ${line}`);
  }
  for (const [name, times] of hits) console.log(`${String(times).padStart(7)}  ${name}`);
  console.log(Object.fromEntries(ends));
  const seconds = (performance.now() - started) / 1000;
  console.log(`${count} seeds in ${seconds.toFixed(1)} s, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
