/** Logs to a standard output that fails, then says over IPC that it lives. Started by log.test.ts. */
import { createLog } from '../log.ts';

const log = createLog({ level: 'info', format: 'json' });
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

process.on('message', async () => {
  for (let i = 0; i < 50; i++) {
    log.info(`Line ${i}`, { text: 'x'.repeat(200) });
    if (i % 10 === 0) await wait(5);
  }
  process.send?.('alive');
});
process.send?.('ready');
process.on('disconnect', () => process.exit(0));
