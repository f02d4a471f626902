import type { KeyPath } from './keys.ts';
import type { Mistakes } from './mistakes.ts';
import type { RelayConfig } from './types.ts';

/** A part that cannot be larger than its whole: for each pair, the key and the key that bounds it. */
const PARTS: readonly (readonly [NumberKey, NumberKey])[] = [
  ['network.peersPerAddress', 'network.peers'],
  ['network.joinsPerSecond', 'network.peers'],
  ['api.answersPerClient', 'api.answers'],
  ['api.waitingPerClient', 'api.waiting'],
  ['limits.connectionsPerAddress', 'limits.connections'],
];

type NumberKey =
  | `network.${'peers' | 'peersPerAddress' | 'joinsPerSecond'}`
  | `api.${'answers' | 'answersPerClient' | 'waiting' | 'waitingPerClient'}`
  | `limits.${'connections' | 'connectionsPerAddress'}`;

/** Where the value of a key came from; undefined for a default. */
type From = (path: KeyPath) => string | undefined;

/**
 * What single keys cannot tell. A default that exceeds what somebody chose for the whole is lowered to it: whoever
 * allows 100 peers need not know that there is a number per address as well.
 */
export function checkTogether(config: RelayConfig, from: From, mistakes: Mistakes): void {
  const values = config as unknown as Record<string, Record<string, number>>;
  for (const [part, whole] of PARTS) {
    const [group, partKey] = part.split('.') as [string, string];
    const wholeKey = whole.split('.')[1]!;
    const [least, most] = [values[group]![partKey]!, values[group]![wholeKey]!];
    if (least <= most) continue;
    if (from(part) === undefined) values[group]![partKey] = most;
    else
      mistakes.add(
        `${from(part)} is ${least}, but ${whole} is ${most} (${from(whole) ?? 'the default'}), which it is a part of. Lower the one or raise the other.`,
      );
  }
  const { tls, hosting, network, port } = config;
  if ((tls.cert === null) !== (tls.key === null)) {
    const [there, missing] = tls.cert === null ? (['key', 'cert'] as const) : (['cert', 'key'] as const);
    mistakes.add(`${from(`tls.${there}`)} needs tls.${missing} with it: a certificate and its private key.`);
  }
  if (tls.auto && tls.cert !== null)
    mistakes.add(
      `${from('tls.auto')} gets a certificate, and ${from('tls.cert')} names one. Keep one of the two.`,
    );
  if (hosting.devices.length > 1 && hosting.devices.includes('auto'))
    mistakes.add(`${from('hosting.devices')} has auto among others. Keep auto alone, or name the devices.`);
  if (network.tcpPort !== null && network.tcpPort !== 0 && network.tcpPort === port)
    mistakes.add(
      `${from('network.tcpPort')} is ${port}, where the HTTP server listens (${from('port') ?? 'the default of port'}). Choose another.`,
    );
}
