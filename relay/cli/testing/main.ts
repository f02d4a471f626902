import { runCommand } from '../run-command.ts';

/** The command line as a process of its own, with a `start` that says what it was given and ends. */
process.exitCode = await runCommand(process.argv.slice(2), process.env, {
  start: async ({ config, file }) => {
    process.stdout.write(`${JSON.stringify({ port: config.port, data: config.data, file })}\n`);
  },
});
