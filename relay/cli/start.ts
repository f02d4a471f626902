import { RelayError } from '../errors.ts';
import type { Command } from './command.ts';

export const start: Command = {
  name: 'start',
  usage: '[flags]',
  summary: 'run the relay (what happens without a command)',
  about: `Serves the page and the models, is the meeting point of the tabs, lends layers and offers the
OpenAI API. Stop it with Ctrl-C: what runs is finished first. All of its settings can be
flags, variables or lines of shoal.yaml.

Example:  shoal-relay start --port 9000 --model ./my-model.gguf --layers 5-20 --memory 2GB`,
  own: {},
  run: async ({ rest, start: run, ...context }) => {
    if (rest.length > 0)
      throw new RelayError(
        'usage',
        `"${rest[0]!.slice(0, 60)}" is no flag. A command comes first: shoal-relay <command> [flags].`,
      );
    const { config, sources, file, options } = context;
    await run({ config, sources, file, options, rest });
    return 0;
  },
};
