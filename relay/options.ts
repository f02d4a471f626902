import { parseArgs } from 'node:util';
import { RelayError } from './errors.ts';

/** Which layers the relay lends to the network: half-open, `[start, end)`. */
export type LayersWanted = 'all' | 'none' | { start: number; end: number };

export interface RelayOptions {
  port: number;
  host: string;
  /** Folder for downloaded models, their manifests and the relay's identity. */
  data: string;
  /** Files, folders, URLs or catalogue ids; empty means the default model. */
  models: string[];
  layers: LayersWanted;
  /** Bytes that lending may take; null for the share of `memory.ts`. */
  memory: number | null;
  help: boolean;
}

export const USAGE = `Usage: npm start -- [options]

  --port N         port to listen on (default 8080; 0 picks a free one)       SHOAL_PORT
  --host ADDRESS   address to listen on (default 0.0.0.0)                     SHOAL_HOST
  --data FOLDER    where downloaded models and this relay's identity are
                   kept (default ./data)                                      SHOAL_DATA
  --model SOURCE   a GGUF file, a folder with safetensors, a URL, or the id
                   of a model in the catalogue; repeat it for several models
                   (default: the catalogue's first)                           SHOAL_MODEL
  --layers RANGE   layers of the first model to lend to the network: all,
                   none, or a-b from layer a up to, not including, layer b:
                   0-10 and 10-20 are neighbours (default all)                SHOAL_LAYERS
  --memory SIZE    memory that lending may take, as 512MB or 2GB
                   (default half of what is free, at most 4GB)                SHOAL_MEMORY
  --help           this text

A flag wins over its environment variable.
`;

const FLAGS = {
  port: { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  model: { type: 'string', multiple: true },
  layers: { type: 'string' },
  memory: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** No model has more; a larger number is a slip of the finger. */
const MOST_LAYERS = 9999;
/** Below this not even one layer of the smallest model in the catalogue fits with its cache. Bytes. */
const LEAST_MEMORY = 16e6;

/** A value and where it came from, for messages. */
interface Given {
  value: string;
  from: string;
}

/**
 * Options from the command line, then the environment, then the defaults.
 * @throws RelayError `usage`, naming the flag or variable and what it takes
 */
export function parseOptions(argv: readonly string[], env: NodeJS.ProcessEnv = {}): RelayOptions {
  const values = flagsOf(argv);
  const pick = (flag: 'port' | 'host' | 'data' | 'layers' | 'memory', fallback: string): Given => {
    const variable = `SHOAL_${flag.toUpperCase()}`;
    const [value, from] =
      values[flag] === undefined ? [env[variable], variable] : [values[flag], `--${flag}`];
    // An empty variable counts as unset: that is how container files spell "no value".
    if (value === undefined || (value === '' && from === variable))
      return { value: fallback, from: `--${flag}` };
    if (value === '') throw new RelayError('usage', `${from} needs a value.`);
    return { value, from };
  };
  const models = values.model ?? (env.SHOAL_MODEL ? [env.SHOAL_MODEL] : []);
  if (models.includes(''))
    throw new RelayError('usage', '--model needs a file, a folder, a URL or a catalogue id.');
  return {
    port: portOf(pick('port', '8080')),
    host: pick('host', '0.0.0.0').value,
    data: pick('data', 'data').value,
    models,
    layers: layersOf(pick('layers', 'all')),
    memory: memoryOf(pick('memory', '')),
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

function portOf({ value, from }: Given): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (!(port <= 65535))
    throw new RelayError('usage', `${from} takes a port from 0 to 65535, not "${value}".`);
  return port;
}

function layersOf({ value, from }: Given): LayersWanted {
  if (value === 'all' || value === 'none') return value;
  const [, first, last] = /^(\d{1,6})-(\d{1,6})$/.exec(value) ?? [];
  const range = { start: Number(first), end: Number(last) };
  if (first === undefined || range.start >= range.end || range.end > MOST_LAYERS)
    throw new RelayError(
      'usage',
      `${from} takes all, none, or two layers a-b with a below b, such as 5-20 for layers 5 to 19, not "${value}".`,
    );
  return range;
}

function memoryOf({ value, from }: Given): number | null {
  if (value === '') return null;
  const [, number, prefix = '', binary] = /^(\d{1,12}(?:\.\d{1,6})?) ?([kmgt]?)(i?)b$/i.exec(value) ?? [];
  const unit = (binary ? 1024 : 1000) ** ' kmgt'.indexOf(prefix.toLowerCase() || ' ');
  const bytes = Math.floor(Number(number) * unit);
  if (!(bytes >= LEAST_MEMORY && Number.isSafeInteger(bytes)))
    throw new RelayError('usage', `${from} takes a size from 16MB on, such as 512MB or 2GB, not "${value}".`);
  return bytes;
}
