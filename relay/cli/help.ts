import { COMMON_FLAGS, EVERYDAY, helpOf, helpOfAll, nearest, type OwnFlag } from '../config/index.ts';
import { RelayError } from '../errors.ts';
import type { Command } from './command.ts';
import { table } from './table.ts';

/** `shoal-relay --help`. */
export function overview(commands: readonly Command[]): string {
  return `A Shoal relay: the page, the meeting point of the tabs, lent layers and an OpenAI API on one port.

Usage: shoal-relay [command] [flags]

Commands:

${table(commands.map(({ name, summary }) => [name, summary]))}
Flags of every day; \`shoal-relay help options\` lists all:

${helpOf(EVERYDAY)}
  --config FILE: the configuration file; else shoal.yaml in the data folder or here.

A flag wins over a variable, a variable over the file. In this repository, \`npm start -- …\` is
\`shoal-relay start …\`. \`shoal-relay <command> --help\` explains one command.
`;
}

/** `shoal-relay <command> --help`. */
export function helpOfCommand({ name, usage, about, own }: Command): string {
  const flags = Object.entries({ ...own, ...COMMON_FLAGS });
  const keys =
    name === 'start'
      ? `\n${helpOfAll()}`
      : '\nThe flags of `shoal-relay start` count here as well, such as --data.\n';
  return `Usage: shoal-relay ${name} ${usage}\n\n${about}\n\nFlags:\n\n${table(flags.map(line))}${keys}`;
}

function line([name, { placeholder, help }]: [string, OwnFlag]): string[] {
  return [`--${name}${placeholder ? ` ${placeholder}` : ''}`, help];
}

/** The command of this name. @throws RelayError `usage` with the one that may have been meant */
export function findCommand(name: string, commands: readonly Command[]): Command {
  const found = commands.find((command) => command.name === name);
  if (found) return found;
  const names = commands.map((command) => command.name);
  const meant = nearest(name, names);
  throw new RelayError(
    'usage',
    `There is no command ${JSON.stringify(name.slice(0, 60))}. ${meant ? `Did you mean ${meant}?` : `There are ${names.join(', ')}.`}`,
  );
}

export function helpCommand(commands: () => readonly Command[]): Command {
  return {
    name: 'help',
    usage: '[command | options]',
    summary: 'explain a command, or list all options',
    about:
      'Explains a command, or lists every option with its default.\n\nExample:  shoal-relay help options',
    own: {},
    run: async ({ rest: [topic], out }) => {
      if (topic === undefined) out.write(overview(commands()));
      else if (topic === 'options') out.write(helpOfAll());
      else out.write(helpOfCommand(findCommand(topic, commands())));
      return 0;
    },
  };
}
