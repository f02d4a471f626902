/** The command line of the relay. */
export { type CommandContext, EXIT, type StartRelay } from './command.ts';
export { COMMANDS, type RunOptions, runCommand } from './run-command.ts';
