import { spawn } from 'node:child_process';
import { access, constants, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const FOLDERS = ['/usr/bin', '/usr/local/bin', '/snap/bin', '/opt/google/chrome'];
const MAC = ['Chromium', 'Google Chrome'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);

export interface FindOptions {
  env?: NodeJS.ProcessEnv;
  /** Install one where none is found; default true. */
  install?: boolean;
  log?: (line: string) => void;
  signal?: AbortSignal;
}

/**
 * The path of a Chromium: `SHOAL_CHROMIUM`, one installed on this machine, Playwright's own, else it installs one:
 * with apt as root on Debian and Ubuntu, with Playwright elsewhere.
 * @throws Error that says what was tried and what to do
 */
export async function findChromium(options: FindOptions = {}): Promise<string> {
  const { env = process.env, install = true, log = console.log, signal } = options;
  const chosen = env.SHOAL_CHROMIUM;
  if (chosen) {
    if (await isExecutable(chosen)) return chosen;
    throw new Error(`SHOAL_CHROMIUM names ${chosen}, which cannot be run. Correct it or unset it.`);
  }
  const found = await firstExecutable([...(await candidates(env)), await playwrightPath()]);
  if (found) return found;
  const failures: string[] = [];
  if (install) {
    for (const [command, ...args] of await installers()) {
      log(`No Chromium found. Running ${[command, ...args].join(' ')} …`);
      const failure = await run(command, args, signal);
      if (failure) failures.push(`${[command, ...args].join(' ')}: ${failure}`);
    }
    const installed = await firstExecutable([...(await candidates(env)), await playwrightPath()]);
    if (installed) return installed;
  }
  throw new Error(
    ['No Chromium was found. Install one and set SHOAL_CHROMIUM to its path.', ...failures].join('\n'),
  );
}

async function candidates(env: NodeJS.ProcessEnv): Promise<string[]> {
  const folders = [...FOLDERS, ...(env.PATH ?? '').split(':').filter(Boolean)];
  const paths = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return process.platform === 'darwin' ? [...MAC, ...paths] : paths;
}

async function playwrightPath(): Promise<string> {
  const { chromium } = await import('@playwright/test');
  return chromium.executablePath();
}

async function firstExecutable(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) if (path && (await isExecutable(path))) return path;
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Commands to try in order; each is `[program, ...arguments]`. */
async function installers(): Promise<[string, ...string[]][]> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const isDebian = /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
  // On Ubuntu `chromium` is a snap, which does not run in containers: Playwright's own is next in line.
  if (isDebian && process.getuid?.() === 0) {
    return [
      ['apt-get', 'update'],
      ['apt-get', 'install', '-y', '--no-install-recommends', 'chromium'],
      ...(/^ID=ubuntu$/m.test(release) ? [playwrightInstaller()] : []),
    ];
  }
  return [playwrightInstaller()];
}

function playwrightInstaller(): [string, ...string[]] {
  const manifest = createRequire(import.meta.url).resolve('@playwright/test/package.json');
  return [process.execPath, join(dirname(manifest), 'cli.js'), 'install', 'chromium'];
}

/** Runs a program with its output shown; resolves to why it failed, or null. */
function run(command: string, args: readonly string[], signal?: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      signal,
    });
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code === 0 ? null : `it ended with code ${code}`));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await findChromium());
