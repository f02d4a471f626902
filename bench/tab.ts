import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser, Page } from '@playwright/test';
import { launchChromium } from '../e2e/lab/launch.ts';
import { type Lab, startLab } from '../e2e/lab/server.ts';
import { compare } from './compare.ts';
import { growth } from './growth.ts';
import type { MemoryRow } from './memory.ts';
import { MODEL_FILE, MODEL_FOLDER, modelPath } from './model.ts';
import type { Side } from './side.ts';
import type { Table } from './table.ts';
import type { LoadedSide } from './web/lab.ts';

const MAX_TOKENS = 2048;
const SAMPLE_MS = 20;
const SETTLE_MS = 5000;

export interface TabResults {
  speed: Table;
  growth: Table;
  /** Null where the system does not tell (only Linux does). */
  memory: MemoryRow | null;
}

/** Our engine on WebAssembly against wllama: the same Chromium, a page each, one at a time. */
export async function tabBench(rounds: number, threads: number): Promise<TabResults> {
  modelPath();
  const lab = await startLab({
    page: 'bench/web',
    folders: { '/models/': MODEL_FOLDER, '/fixtures/': 'fixtures' },
  });
  const browser = await launchChromium();
  try {
    const memory = await tabMemory(browser, lab, threads);
    const shoal = await openSide(browser, lab, 'shoal', threads);
    const wllama = await openSide(browser, lab, 'wllama', threads);
    const ours = [{ side: shoal.side, targets: { decode: 1.5, prefill: 4 } }];
    const speed = await compare(
      `A tab on WebAssembly, ${threads} threads: SmolLM2-135M-Instruct Q4_1`,
      ours,
      wllama.side,
      rounds,
    );
    speed.notes.push(
      `Threads as each side reports them: Shoal ${shoal.loaded.threads}, wllama ${wllama.loaded.threads}. Shoal’s clock includes the way to its worker and back; wllama’s times are the ones it reports itself, without its way.`,
    );
    await wllama.side.close();
    const grown = await growth('A tab on WebAssembly: decode as the context grows', [shoal.side], rounds);
    await shoal.side.close();
    return { speed, growth: grown, memory };
  } finally {
    await browser.close();
    await lab.close();
  }
}

async function openPage(browser: Browser, lab: Lab): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(lab.url);
  await page.waitForFunction('window.bench !== undefined');
  return page;
}

async function openSide(
  browser: Browser,
  lab: Lab,
  name: 'shoal' | 'wllama',
  threads: number,
): Promise<{ side: Side; loaded: LoadedSide }> {
  const page = await openPage(browser, lab);
  const loaded = await load(page, name, threads, MAX_TOKENS);
  // A comparison of unlike things is worse than none.
  if (loaded.threads !== threads)
    throw new Error(
      `${loaded.name} runs on ${loaded.threads} threads, not ${threads}: is the page isolated?`,
    );
  const side: Side = {
    name: loaded.name,
    round: (promptTokens, steps) =>
      page.evaluate(([prompt, count]) => window.bench.round(prompt, count), [promptTokens, steps] as const),
    close: () => page.close(),
  };
  return { side, loaded };
}

function load(page: Page, name: 'shoal' | 'wllama', threads: number, maxTokens: number): Promise<LoadedSide> {
  return page.evaluate(([which, file, count, most]) => window.bench.load(which, file, count, most), [
    name,
    MODEL_FILE,
    threads,
    maxTokens,
  ] as const);
}

/** Resident memory of the renderer processes while a page loads the model, as the system counts it. */
async function tabMemory(browser: Browser, lab: Lab, threads: number): Promise<MemoryRow | null> {
  if (process.platform !== 'linux') return null;
  const session = await browser.newBrowserCDPSession();
  // All of them: Chromium keeps a spare one, and does not say which has the page.
  const resident = async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer');
    const bytes = await Promise.all(renderers.map(({ id }) => residentBytes(id)));
    return bytes.reduce((sum, one) => sum + one, 0);
  };
  const settled = async () => {
    await wait(SETTLE_MS);
    return resident();
  };
  const page = await openPage(browser, lab);
  const empty = await settled();
  await page.evaluate((count) => window.bench.loadTiny(count), threads);
  const program = (await settled()) - empty;
  await page.reload();
  await page.waitForFunction('window.bench !== undefined');

  const before = await settled();
  let highest = before;
  let sampling = true;
  const sampler = (async () => {
    while (sampling) {
      highest = Math.max(highest, await resident());
      await wait(SAMPLE_MS);
    }
  })();
  const loaded = await load(page, 'shoal', threads, MAX_TOKENS);
  sampling = false;
  await sampler;
  await page.evaluate(() => window.bench.round(16, 4));
  const rest = (await settled()) - before;
  await page.close();
  return {
    name: 'Tab, WebAssembly',
    weightBytes: loaded.weightBytes!,
    loadMs: loaded.loadMs,
    program,
    peak: highest - before,
    rest,
  };
}

/** 0 for a process that has ended. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
