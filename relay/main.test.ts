import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill('SIGKILL');
});

/** Runs the relay to its end. */
async function run(args: string[], env: NodeJS.ProcessEnv = {}) {
  child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], { env: { ...process.env, ...env } });
  let text = '';
  child.stdout?.on('data', (part) => (text += part));
  child.stderr?.on('data', (part) => (text += part));
  const [code] = await once(child, 'close');
  return { code, text };
}

describe('npm start', () => {
  it('explains itself', async () => {
    const { code, text } = await run(['--help']);
    expect(code).toBe(0);
    for (const flag of ['--port', '--host', '--data', '--model', '--layers', '--memory'])
      expect(text).toContain(flag);
  });

  it('ends with code 2 and names what is wrong', async () => {
    const flag = await run(['--port', 'eighty']);
    expect([flag.code, flag.text]).toEqual([2, '--port takes a port from 0 to 65535, not "eighty".\n']);
    const variable = await run([], { SHOAL_PORT: '-3' });
    expect([variable.code, variable.text]).toEqual([2, expect.stringContaining('SHOAL_PORT')]);
  });

  it('says which port is in use and how to choose another', async () => {
    const busy = createServer().listen(0, '127.0.0.1');
    await once(busy, 'listening');
    const { port } = busy.address() as { port: number };
    const { code, text } = await run(['--host', '127.0.0.1', '--port', String(port)]);
    busy.close();
    expect([code, text]).toEqual([
      1,
      `Port ${port} is in use. Choose another: npm start -- --port ${port + 1}\n`,
    ]);
  });
});
