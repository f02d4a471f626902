import { execFile } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import { promisify } from 'node:util';
import { findChromium } from '../scripts/chromium.ts';

/** What the numbers were measured on, one line each. */
export async function describeMachine(withChromium: boolean): Promise<string[]> {
  const lines = [
    `CPU: ${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores`,
    `Memory: ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `System: ${type()} ${release()}, Node ${process.versions.node}`,
  ];
  if (withChromium) {
    const { stdout } = await promisify(execFile)(await findChromium(), ['--version']);
    lines.push(`Browser: ${stdout.trim()}`);
  }
  return lines;
}
