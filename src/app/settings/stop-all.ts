import type { Doors } from '../doors.ts';

/** Milliseconds for the goodbyes; a network that hangs keeps nobody from deleting their data. */
const PATIENCE_MS = 8_000;

/** Ends everything of the page that runs and could write: the answer, lending, the engine, the network. */
export async function stopAll({
  thread,
  share,
  shoal,
}: Pick<Doors, 'thread' | 'share' | 'shoal'>): Promise<void> {
  thread.stop();
  const stopped = async () => {
    await share.off({ force: true }).catch(() => {});
    await shoal.dispose().catch(() => {});
  };
  await Promise.race([stopped(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
}
