import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** The Python package whose source archive carries llama.cpp. */
const VERSION = '0.3.36';
const BUILT = join('data', 'bench', `llama-server-${VERSION}`);
const OPTIONS = [
  '-DCMAKE_BUILD_TYPE=Release',
  '-DBUILD_SHARED_LIBS=OFF',
  '-DLLAMA_BUILD_SERVER=ON',
  '-DLLAMA_BUILD_TESTS=OFF',
  '-DLLAMA_BUILD_EXAMPLES=OFF',
  '-DLLAMA_CURL=OFF',
];

/**
 * llama.cpp's server for this machine. The first time it is built from source, which takes some minutes and needs
 * pip, CMake and a C++ compiler.
 * @returns its path
 */
export async function llamaServer(say: (line: string) => void): Promise<string> {
  if (existsSync(BUILT)) return BUILT;
  say('building llama.cpp’s server, once; this takes some minutes');
  const folder = await mkdtemp(join(tmpdir(), 'shoal-llama-'));
  try {
    const wanted = [`llama-cpp-python==${VERSION}`, '--no-deps', '--no-binary', ':all:', '--dest', folder];
    await run('pip', ['download', ...wanted]);
    const archive = (await readdir(folder)).find((name) => name.endsWith('.tar.gz'));
    await run('tar', ['xzf', archive!, '--strip-components=1'], { cwd: folder });
    const source = join(folder, 'vendor', 'llama.cpp');
    const build = join(folder, 'build');
    await run('cmake', ['-S', source, '-B', build, ...OPTIONS]);
    // Its output is long, and only of use when it fails.
    await run('cmake', ['--build', build, '--target', 'llama-server', '--parallel'], { maxBuffer: 2 ** 26 });
    await mkdir(join('data', 'bench'), { recursive: true });
    await copyFile(join(build, 'bin', 'llama-server'), BUILT);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return BUILT;
}
