import { parseArgs } from 'node:util';
import { RelayError } from './errors.ts';

export interface RelayOptions {
  port: number;
  host: string;
  /** Folder for downloaded models and their manifests. */
  data: string;
  /** Files, folders, URLs or catalogue ids; empty means the default model. */
  models: string[];
  help: boolean;
}

export const USAGE = `Usage: npm start -- [options]

  --port N         port to listen on (default 8080; 0 picks a free one)       SHOAL_PORT
  --host ADDRESS   address to listen on (default 0.0.0.0)                     SHOAL_HOST
  --data FOLDER    where downloaded models are kept (default ./data)          SHOAL_DATA
  --model SOURCE   a GGUF file, a folder with safetensors, a URL, or the id
                   of a model in the catalogue; repeat it for several models
                   (default: the catalogue's first)                           SHOAL_MODEL
  --help           this text

A flag wins over its environment variable.
`;

const FLAGS = {
  port: { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  model: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Options from the command line, then the environment, then the defaults.
 * @throws RelayError `usage`, naming the flag or variable and what it takes
 */
export function parseOptions(argv: readonly string[], env: NodeJS.ProcessEnv = {}): RelayOptions {
  const values = flagsOf(argv);
  const pick = (flag: 'port' | 'host' | 'data', fallback: string) => {
    const variable = `SHOAL_${flag.toUpperCase()}`;
    const [value, from] =
      values[flag] === undefined ? [env[variable], variable] : [values[flag], `--${flag}`];
    // An empty variable counts as unset: that is how container files spell "no value".
    if (value === undefined || (value === '' && from === variable))
      return { value: fallback, from: `--${flag}` };
    if (value === '') throw new RelayError('usage', `${from} needs a value.`);
    return { value, from };
  };
  const port = pick('port', '8080');
  const models = values.model ?? (env.SHOAL_MODEL ? [env.SHOAL_MODEL] : []);
  if (models.includes(''))
    throw new RelayError('usage', '--model needs a file, a folder, a URL or a catalogue id.');
  return {
    port: portOf(port.value, port.from),
    host: pick('host', '0.0.0.0').value,
    data: pick('data', 'data').value,
    models,
    help: values.help ?? false,
  };
}

function flagsOf(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new RelayError('usage', `${reason}. \`npm start -- --help\` lists what there is.`, {
      cause: error,
    });
  }
}

function portOf(text: string, from: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw new RelayError('usage', `${from} takes a port from 0 to 65535, not "${text}".`);
  return port;
}
