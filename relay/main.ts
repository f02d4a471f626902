import { runCommand } from './cli/index.ts';

let started = false;
const code = await runCommand(process.argv.slice(2), process.env, {
  // The relay is loaded by the command that starts it: help and errors in the options come at once.
  start: async (read) => {
    started = true;
    await (await import('./start.ts')).startRelay(read);
  },
});
// Whatever a room or a library left running must not keep a relay that was stopped, or could not start.
if (started) process.exit(code);
process.exitCode = code;
