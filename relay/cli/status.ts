import { ask, localUrl, objectIn } from '../doctor/index.ts';
import { RelayError } from '../errors.ts';
import { type Command, type CommandContext, EXIT } from './command.ts';
import { statusPage } from './status-page.ts';

export const status: Command = {
  name: 'status',
  usage: '[--at URL] [--json] [flags]',
  summary: 'ask a running relay how it is',
  about: `Asks the relay of this configuration, or the one at --at, for its state: models, peers, answers.
When nobody answers, it says so in one line, and the exit code is 3.

Example:  shoal-relay status --at https://shoal.example.org`,
  own: {
    at: { placeholder: 'URL', help: 'Another relay than the one of this configuration.' },
    json: { placeholder: '', help: 'The state as JSON.' },
  },
  run: async (context) => {
    const { out, notes, options } = context;
    const { url, state } = await askRelay(context);
    if ('why' in state) {
      notes.write(`No relay answers at ${url}: ${state.why}.\n`);
      return EXIT.noAnswer;
    }
    if (options.has('json')) out.write(`${JSON.stringify(state, null, 2)}\n`);
    else out.write(statusPage(url, state.health, state.network));
    return EXIT.ok;
  },
};

export interface RelayState {
  /** /healthz */
  health: Record<string, unknown>;
  /** /v1/network; null when it has none. */
  network: Record<string, unknown> | null;
}

/** What the relay of this configuration, or that of `--at`, tells; or why it does not. */
export async function askRelay(
  context: Pick<CommandContext, 'config' | 'options' | 'signal'>,
): Promise<{ url: string; state: RelayState | { why: string } }> {
  const { config, options, signal } = context;
  const at = options.get('at');
  const url = at === undefined ? localUrl(config) : originOf(at);
  if (at === undefined && config.port === 0)
    throw new RelayError('usage', 'With port 0 nobody knows where the relay listens. Say it: --at URL.');
  // The own certificate names the domain, not this machine.
  const how = { signal, anyCertificate: at === undefined };
  const answer = await ask(`${url}/healthz`, how);
  if (!answer.answered) return { url, state: { why: answer.why } };
  const health = objectIn(answer);
  if (typeof health?.status !== 'string') return { url, state: { why: 'what answers there is no relay' } };
  const network = await ask(`${url}/v1/network`, how);
  const isKnown = network.answered && network.status === 200;
  return { url, state: { health, network: isKnown ? objectIn(network) : null } };
}

function originOf(at: string | true): string {
  const url = typeof at === 'string' && URL.canParse(at) ? new URL(at) : null;
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url.origin;
  throw new RelayError(
    'usage',
    `--at takes an address such as https://shoal.example.org, not "${String(at).slice(0, 60)}".`,
  );
}
