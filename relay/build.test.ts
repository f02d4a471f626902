import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { buildPage } from './build.ts';

it("builds for production, whatever the caller's environment is for, and once", async () => {
  expect(process.env.NODE_ENV).toBe('test');
  const root = await mkdtemp(join(tmpdir(), 'shoal-build-'));
  try {
    await symlink(resolve('node_modules'), join(root, 'node_modules'), 'dir');
    await writeFile(join(root, 'package.json'), '{}');
    await writeFile(join(root, 'index.html'), '<script type="module" src="/src/page.js"></script>');
    await mkdir(join(root, 'src'));
    await writeFile(join(root, 'src/page.js'), "console.log(import.meta.env.PROD ? 'for use' : 'for work');");
    expect(await buildPage(root, { log: () => {} })).toBe(true);
    const [script] = (await readdir(join(root, 'dist/assets'))).filter((name) => name.endsWith('.js'));
    const code = await readFile(join(root, 'dist/assets', script!), 'utf8');
    expect(code).toContain('for use');
    expect(code).not.toContain('for work');
    expect(await buildPage(root, { log: () => {} })).toBe(false);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
