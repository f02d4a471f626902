import type { KeyFile } from '../api/keys.ts';
import { nearest } from '../config/index.ts';
import { RelayError } from '../errors.ts';
import { type Command, type CommandContext, EXIT } from './command.ts';
import { plain, table } from './table.ts';

export const keys: Command = {
  name: 'keys',
  usage: 'add [--name NAME] | list | revoke <name or id>',
  summary: 'make, list and revoke keys of the API',
  about: `A key counts as one client of the API, with limits of its own, instead of the address. It is
shown once; what is kept is a hash. A running relay takes changes at once. With
\`api: {keys: required}\` in shoal.yaml, nobody gets an answer without one.

Example:  shoal-relay keys add --name laptop --requests-per-minute 60
          shoal-relay keys revoke laptop`,
  own: {
    name: { placeholder: 'NAME', help: 'For `add`: what to call it.' },
    'requests-per-minute': { placeholder: 'N', help: "For `add`: instead of the relay's." },
    'tokens-per-day': {
      placeholder: 'N',
      help: 'For `add`: tokens of prompts and answers; none by default.',
    },
    json: { placeholder: '', help: 'For `add` and `list`: as JSON.' },
  },
  run: async (context) => {
    const [action = 'list', ...rest] = context.rest;
    if (action === 'add') return add(context, rest);
    if (action === 'list') return list(context);
    if (action === 'revoke') return revoke(context, rest);
    const meant = nearest(action, ['add', 'list', 'revoke']);
    throw new RelayError(
      'usage',
      `\`keys\` takes add, list or revoke, not "${action.slice(0, 60)}".${meant ? ` Did you mean ${meant}?` : ''}`,
    );
  },
};

async function add(
  { config, options, out, notes }: CommandContext,
  rest: readonly string[],
): Promise<number> {
  // `keys add laptop` is what many try first.
  const name = options.get('name') ?? rest[0];
  if (rest.length > 1)
    throw new RelayError('usage', 'A key has one name. Put it in quotes: keys add "my laptop".');
  const { key, info } = await asUsage(
    (await keyFile(config.data)).add({
      name: typeof name === 'string' ? name : 'key',
      requestsPerMinute: numberOf(options, 'requests-per-minute', 1_000_000),
      tokensPerDay: numberOf(options, 'tokens-per-day', 1e12),
    }),
  );
  if (options.has('json')) {
    out.write(`${JSON.stringify({ key, ...info }, null, 2)}\n`);
    return EXIT.ok;
  }
  // Alone on standard output, so that it can go into a file or a variable.
  notes.write(`The key of "${plain(info.name)}", which is not shown again:\n`);
  out.write(`${key}\n`);
  return EXIT.ok;
}

async function list({ config, options, out }: CommandContext): Promise<number> {
  const infos = (await keyFile(config.data)).list();
  if (options.has('json')) out.write(`${JSON.stringify(infos, null, 2)}\n`);
  else if (infos.length === 0)
    out.write('There are no keys. `shoal-relay keys add --name laptop` makes one.\n');
  else {
    const rows = infos.map((info) => [
      plain(info.name, 40),
      info.id,
      info.created.slice(0, 10),
      info.requestsPerMinute === null ? "the relay's" : `${info.requestsPerMinute}`,
      info.tokensPerDay === null ? 'any' : `${info.tokensPerDay}`,
    ]);
    out.write(table([['name', 'id', 'made on', 'requests per minute', 'tokens per day'], ...rows], ''));
  }
  return EXIT.ok;
}

async function revoke({ config, out }: CommandContext, rest: readonly string[]): Promise<number> {
  const [which] = rest;
  if (which === undefined || rest.length > 1)
    throw new RelayError('usage', 'Say which key: shoal-relay keys revoke <name or id>.');
  const info = await asUsage((await keyFile(config.data)).revoke(which));
  out.write(`The key "${plain(info.name)}" (${info.id}) is revoked.\n`);
  return EXIT.ok;
}

async function keyFile(data: string): Promise<KeyFile> {
  const room = await import('../api/keys.ts');
  return room.KeyFile.open(data);
}

/** The refusals of the API's room are those of a wrong call here. */
async function asUsage<T>(job: Promise<T>): Promise<T> {
  try {
    return await job;
  } catch (error) {
    if (error instanceof Error && error.name === 'ApiError')
      throw new RelayError('usage', error.message, { cause: error });
    throw error;
  }
}

function numberOf(options: CommandContext['options'], flag: string, most: number): number | undefined {
  const text = options.get(flag);
  if (text === undefined) return;
  const number = typeof text === 'string' && /^\d{1,13}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  throw new RelayError(
    'usage',
    `--${flag} takes a whole number from 1 to ${most}, not "${String(text).slice(0, 60)}".`,
  );
}
