import { access, constants, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { existing } from './existing.ts';
import { type Check, fail, ok } from './types.ts';

export const dataFolder: Check = {
  name: 'Data folder',
  run: async ({ config: { data } }) => {
    const there = await existing(data);
    if (there !== data) {
      const writable = await access(there, constants.W_OK).then(
        () => true,
        () => false,
      );
      if (writable) return [ok(`${data} is made at the first start.`)];
      return [fail(`${data} does not exist, and cannot be made in ${there}.`, takeOver(there))];
    }
    if (!(await stat(data)).isDirectory())
      return [fail(`${data} is not a folder.`, 'Move the file away, or set `data` to a folder.')];
    // A real file: access() knows nothing of quotas and of disks that are mounted read-only.
    const probe = join(data, `.doctor-${process.pid}`);
    try {
      await writeFile(probe, 'x');
      return [ok(`${data} can be written.`)];
    } catch (error) {
      const why = error instanceof Error ? error.message : 'the reason is unknown';
      return [fail(`${data} cannot be written: ${why}.`, takeOver(data))];
    } finally {
      await rm(probe, { force: true });
    }
  },
};

export const dataInUse: Check = {
  name: 'Data in use',
  run: async ({ config: { data }, running, ownPeer }) => {
    const relay = await running();
    const own = await ownPeer();
    if (relay && own !== null && relay.peer === own)
      return [ok('By the relay that runs on the port of this configuration.')];
    const datastore = join(data, 'datastore');
    if ((await existing(datastore)) !== datastore) return [ok('By nobody.')];
    if (!(await isLocked(datastore))) return [ok('By nobody.')];
    return [
      fail(
        `Another process uses ${data}.`,
        'Two relays cannot share a data folder: stop the other one, or set `data` to another folder.',
      ),
    ];
  },
};

/** A LevelDB folder has one owner; opening it is the only question that its lock answers. */
async function isLocked(folder: string): Promise<boolean> {
  const { LevelDatastore } = await import('datastore-level');
  const store = new LevelDatastore(folder);
  try {
    // Its own `open` hides why it failed.
    await store.db.open({ createIfMissing: false });
  } catch (error) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      if ('code' in cause && cause.code === 'LEVEL_LOCKED') return true;
    }
    // Damaged or of another kind: the relay moves it aside at its start.
    return false;
  }
  await store.close();
  return false;
}

function takeOver(folder: string): string {
  return `Give it to the user that runs the relay (chown ${process.getuid?.() ?? '<user>'} ${folder}), or set \`data\`.`;
}
