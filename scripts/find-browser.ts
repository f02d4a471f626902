import { spawn } from 'node:child_process';
import { access, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface FindOptions {
  env?: NodeJS.ProcessEnv;
  /** Install one where none is found; default true. */
  install?: boolean;
  log?: (line: string) => void;
  signal?: AbortSignal;
}

/** `[program, ...arguments]` */
export type Command = readonly [string, ...string[]];

/** A browser that tests drive. */
export interface WantedBrowser {
  name: string;
  /** The variable that may name its path. */
  variable: string;
  /** Names of its program in the usual folders. */
  programs: readonly string[];
  /** Other paths to look at, after the programs. */
  paths: () => Promise<readonly string[]>;
  debianPackage: string;
  /** Installs one on systems that are not Debian, and on Ubuntu, where the packages are snaps; null: nothing does. */
  installer: (() => Command) | null;
}

const FOLDERS = ['/usr/bin', '/usr/local/bin', '/snap/bin', '/opt/google/chrome'];

/**
 * The path of a browser: the one its variable names, one installed on this machine, else it installs one: with apt as
 * root on Debian and Ubuntu, by its own installer elsewhere.
 * @throws Error that says what was tried and what to do
 */
export async function findBrowser(wanted: WantedBrowser, options: FindOptions = {}): Promise<string> {
  const { env = process.env, install = true, log = console.log, signal } = options;
  const { name, variable } = wanted;
  const chosen = env[variable];
  if (chosen) {
    if (await isExecutable(chosen)) return chosen;
    throw new Error(`${variable} names ${chosen}, which cannot be run. Correct it or unset it.`);
  }
  const found = await installed(wanted, env);
  if (found) return found;
  const failures: string[] = [];
  if (install) {
    for (const command of await installers(wanted)) {
      log(`No ${name} found. Running ${command.join(' ')} …`);
      const failure = await run(command, signal);
      if (failure) failures.push(`${command.join(' ')}: ${failure}`);
    }
    const arrived = await installed(wanted, env);
    if (arrived) return arrived;
  }
  throw new Error(
    [`No ${name} was found. Install one and set ${variable} to its path.`, ...failures].join('\n'),
  );
}

async function installed(wanted: WantedBrowser, env: NodeJS.ProcessEnv): Promise<string | null> {
  const folders = [...FOLDERS, ...(env.PATH ?? '').split(':').filter(Boolean)];
  const programs = wanted.programs.flatMap((program) => folders.map((folder) => join(folder, program)));
  for (const path of [...programs, ...(await wanted.paths())])
    if (path && (await isExecutable(path))) return path;
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Commands to try in order. */
async function installers({ debianPackage, installer }: WantedBrowser): Promise<Command[]> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const own = installer ? [installer()] : [];
  const isDebian = /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
  if (isDebian && process.getuid?.() === 0) {
    return [
      ['apt-get', 'update'],
      ['apt-get', 'install', '-y', '--no-install-recommends', debianPackage],
      // On Ubuntu the package is a snap, which does not run in containers.
      ...(/^ID=ubuntu$/m.test(release) ? own : []),
    ];
  }
  return own;
}

/** Runs a program with its output shown; resolves to why it failed, or null. */
function run([command, ...args]: Command, signal?: AbortSignal): Promise<string | null> {
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
