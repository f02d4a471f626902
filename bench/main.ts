/** `npm run bench`: measures, prints tables and writes them into docs/performance.md. */
import { parseArgs } from 'node:util';
import { loadEngine } from '../src/engine/node.ts';
import { batch } from './batch.ts';
import { coldBench } from './cold.ts';
import { compare } from './compare.ts';
import { growth } from './growth.ts';
import { llamaCppSide } from './llama-cpp.ts';
import { describeMachine } from './machine.ts';
import { type MemoryRow, memoryTable, nodeMemory } from './memory.ts';
import { wholeModel } from './model.ts';
import { networkBench } from './network.ts';
import { profile } from './profile.ts';
import { relayBench } from './relay.ts';
import { writeReport } from './report.ts';
import { engineSide } from './side.ts';
import { tabBench } from './tab.ts';
import { markdown, type Table } from './table.ts';

const PARTS = ['tab', 'node', 'profile', 'batch', 'memory', 'network', 'cold', 'relay'] as const;
type Part = (typeof PARTS)[number];
const WITH_BROWSER = ['tab', 'network', 'cold'] as const;
const THREADS = 2;
const MAX_TOKENS = 2048;
const ARITHMETICS = ['fast', 'exact'] as const;

const USAGE = `Usage: npm run bench -- [options]

  --rounds N     rounds of each comparison (default 5)
  --only PART    ${PARTS.join(', ')}; repeat for more. Nothing is written to docs/ then
  --help         this text
`;

async function nodeSpeed(rounds: number): Promise<Table[]> {
  const model = await wholeModel();
  const sides = [];
  for (const arithmetic of ARITHMETICS)
    sides.push(
      engineSide(
        `Shoal, ${arithmetic}`,
        await loadEngine({ ...model, arithmetic, threads: THREADS, maxTokens: MAX_TOKENS, measure: false }),
      ),
    );
  const peer = await llamaCppSide(THREADS, MAX_TOKENS);
  const [fast, exact] = sides;
  const tables = [
    await compare(
      `Node CPU, ${THREADS} threads: SmolLM2-135M-Instruct Q4_1`,
      [
        { side: fast!, targets: { decode: 0.7, prefill: 0.7 } },
        { side: exact!, targets: null },
      ],
      peer,
      rounds,
    ),
    await growth('Node CPU: decode as the context grows', [...sides, peer], rounds),
  ];
  tables[0]!.notes.push(
    'Fast rounds activations to int8, as llama.cpp does; exact keeps them in float32 and its weights dense.',
  );
  for (const side of [...sides, peer]) await side.close();
  return tables;
}

async function nodeBatch(rounds: number): Promise<Table> {
  const model = await wholeModel();
  const engines = [];
  for (const arithmetic of ARITHMETICS)
    engines.push({
      name: `Shoal, ${arithmetic}`,
      engine: await loadEngine({ ...model, arithmetic, threads: THREADS, maxTokens: 256, measure: false }),
    });
  const table = await batch(engines, rounds);
  for (const { engine } of engines) await engine.dispose();
  return table;
}

async function measure(parts: readonly Part[], rounds: number): Promise<Table[]> {
  const tables: Table[] = [];
  const memory: MemoryRow[] = [];
  const say = (line: string) => console.error(`bench: ${line} …`);
  if (parts.includes('tab')) {
    say('a tab on WebAssembly, against wllama');
    const tab = await tabBench(rounds, THREADS);
    tables.push(tab.speed, tab.growth);
    if (tab.memory) memory.push(tab.memory);
  }
  if (parts.includes('node')) {
    say('Node CPU, against llama.cpp');
    tables.push(...(await nodeSpeed(rounds)));
  }
  if (parts.includes('profile')) {
    say('where the time goes');
    const model = await wholeModel();
    for (const arithmetic of ARITHMETICS) tables.push(await profile(model, arithmetic, THREADS));
  }
  if (parts.includes('batch')) {
    say('eight sessions together');
    tables.push(await nodeBatch(rounds));
  }
  if (parts.includes('memory')) {
    say('memory');
    for (const arithmetic of ARITHMETICS) memory.push(await nodeMemory(arithmetic, THREADS));
  }
  if (memory.length > 0) tables.push(memoryTable(memory));
  if (parts.includes('network')) tables.push(...(await networkBench(rounds, say)));
  if (parts.includes('cold')) tables.push(await coldBench(say));
  if (parts.includes('relay')) tables.push(...(await relayBench(rounds, say)));
  return tables;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      only: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds takes a whole number from 1 on, not "${values.rounds}"`);
  const chosen = PARTS.filter((part) => values.only.length === 0 || values.only.includes(part));
  const unknown = values.only.find((part) => !PARTS.some((known) => known === part));
  if (unknown !== undefined) throw new Error(`--only takes ${PARTS.join(', ')}, not "${unknown}"`);

  const started = performance.now();
  const tables = await measure(chosen, rounds);
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  const machine = await describeMachine(WITH_BROWSER.some((part) => chosen.includes(part)));
  const only = values.only.map((part) => ` --only ${part}`).join('');
  const command = `npm run bench -- --rounds ${rounds}${only}`;
  const report = [
    ...machine.map((line) => `- ${line}`),
    `- Command: \`${command}\`, ${new Date().toISOString().slice(0, 10)}, ${minutes} minutes`,
    '',
    ...tables.map((table) => `${markdown(table)}\n`),
  ].join('\n');
  console.log(report);
  if (values.only.length === 0) {
    await writeReport(report);
    console.error('bench: written to docs/performance.md');
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
