import { appendFile, cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What a relay's page is made of, and the relay itself. */
const PARTS = ['index.html', 'package.json', 'package-lock.json', 'tsconfig.json', 'vite.config.ts'].concat([
  'public',
  'relay',
  'src',
]);

/** A later version of this very project, whose page and whose share view say so. */
export class NewerPage {
  private constructor(readonly root: string) {}

  static async make(): Promise<NewerPage> {
    const root = await mkdtemp(join(tmpdir(), 'shoal-newer-'));
    for (const part of PARTS) await cp(part, join(root, part), { recursive: true });
    await symlink(resolve('node_modules'), join(root, 'node_modules'));
    await appendFile(join(root, 'src/app/main.tsx'), "\ndocument.documentElement.dataset.build = 'newer';\n");
    await appendFile(
      join(root, 'src/app/share/ShareView.tsx'),
      "\ndocument.documentElement.dataset.share = 'newer';\n",
    );
    return new NewerPage(root);
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}
