import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileTemplate, KEYS, type KeyPath, type Kind, valueIn } from '../config/index.ts';
import { RelayError } from '../errors.ts';
import { type Command, type CommandContext, EXIT } from './command.ts';

/** What is asked on a terminal, with the flags that answer it elsewhere. */
const QUESTIONS: readonly { path: KeyPath; text: string }[] = [
  { path: 'url', text: 'Where will people reach it (https://…, or none)?' },
  { path: 'port', text: 'Port for the page, the API and the tabs?' },
  { path: 'network.webrtcPort', text: 'UDP port for pages without a certificate of yours (or none)?' },
];

export const init: Command = {
  name: 'init',
  usage: '[--force] [--yes] [flags]',
  summary: 'write a commented shoal.yaml and make the data folder',
  about: `Writes shoal.yaml into this folder (or where --config says) with every key and its default as
comments. Flags become lines of the file; on a terminal it asks for the rest, and Enter takes
what it proposes. A file that is there is kept, unless --force is given.

Example:  shoal-relay init --url https://shoal.example.org --port 8443 --memory 8GB`,
  own: {
    force: { placeholder: '', help: 'Write over a file that is there.' },
    yes: { placeholder: '', help: 'Ask nothing: take what is proposed.' },
  },
  readsFile: false,
  run: async (context) => {
    const { options, config, cwd, out } = context;
    const named = options.get('config');
    const target = resolve(cwd, typeof named === 'string' ? named : 'shoal.yaml');
    const chosen = await choices(context, dirname(target));
    await writeNew(target, fileTemplate(chosen), options.has('force'));
    await mkdir(config.data, { recursive: true });
    out.write(`${target} is written, and ${config.data} is there.\n\n${next(context, target, chosen)}`);
    return EXIT.ok;
  },
};

/** What goes into the file: flags, variables, answers, and a UDP port. */
async function choices(context: CommandContext, folder: string): Promise<Map<KeyPath, unknown>> {
  const { config, sources, cwd } = context;
  const chosen = new Map<KeyPath, unknown>();
  for (const [path, from] of sources) {
    if (from !== 'default') chosen.set(path, valueIn(config, path));
  }
  // Without it, a page on https cannot reach a relay that has no certificate.
  if (!chosen.has('network.webrtcPort')) chosen.set('network.webrtcPort', config.port || KEYS.port.default);
  if (context.input.isTTY && context.out.isTTY && !context.options.has('yes')) await ask(context, chosen);
  // Inside the file's own folder by a relative path: a folder that moves as a whole goes on working. Elsewhere it has
  // to be said, because the default starts from where the relay is started.
  const inside = relative(folder, config.data);
  if (chosen.has('data') || folder !== resolve(cwd))
    chosen.set('data', inside.startsWith('..') ? config.data : inside || '.');
  return chosen;
}

async function ask({ config, sources, input, out, signal }: CommandContext, chosen: Map<KeyPath, unknown>) {
  const terminal = createInterface({ input, terminal: false, signal });
  const lines = terminal[Symbol.asyncIterator]();
  try {
    for (const { path, text } of QUESTIONS) {
      if (sources.get(path)?.startsWith('--')) continue;
      const kind = KEYS[path].kind as Kind<unknown>;
      const proposed = chosen.get(path) ?? valueIn(config, path);
      for (;;) {
        out.write(`${text} [${kind.show(proposed)}] `);
        const { value: line, done } = await lines.next();
        signal.throwIfAborted();
        // At the end of the input (Ctrl-D) the proposals are taken, as with Enter.
        const answer = done ? '' : line.trim();
        const reading = answer === '' ? { value: proposed } : kind.read(answer, '');
        if ('value' in reading) {
          if (answer !== '') chosen.set(path, reading.value);
          break;
        }
        out.write(`It takes ${kind.takes}.\n`);
      }
    }
  } finally {
    terminal.close();
  }
}

async function writeNew(path: string, text: string, force: boolean): Promise<void> {
  let hasFolder = false;
  try {
    await mkdir(dirname(path), { recursive: true });
    hasFolder = true;
    await writeFile(path, text, { flag: force ? 'w' : 'wx' });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (hasFolder && code === 'EEXIST')
      throw new RelayError('usage', `${path} is there already. Edit it, or write over it with --force.`, {
        cause,
      });
    throw new RelayError('usage', `${path} cannot be written: ${message}. Choose another with --config.`, {
      cause,
    });
  }
}

function next({ cwd }: CommandContext, target: string, chosen: ReadonlyMap<KeyPath, unknown>): string {
  const isHere = dirname(target) === resolve(cwd) && target === join(resolve(cwd), 'shoal.yaml');
  const flag = isHere ? '' : ` --config ${target}`;
  const port = chosen.get('network.webrtcPort');
  const open = typeof port === 'number' ? `   open UDP port ${port} in the firewall\n` : '';
  return `Next:\n   shoal-relay doctor${flag}   says what is missing\n${open}   shoal-relay${flag}   starts it\n`;
}
