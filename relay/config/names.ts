import { KEY_PATHS, KEYS, type KeyPath } from './keys.ts';

/** `network.tcpPort` is `--network-tcp-port` on the command line. */
export function flagOf(path: string): string {
  return `--${kebab(path)}`;
}

/** `network.tcpPort` is `SHOAL_NETWORK_TCP_PORT` in the environment. */
export function variableOf(path: string): string {
  return `SHOAL_${kebab(path).replaceAll('-', '_').toUpperCase()}`;
}

/** All flags with the key that each one sets, everyday names included; without the dashes. */
export const FLAGS = namesBy((name) => kebab(name));

/** All environment variables with the key that each one sets. */
export const VARIABLES = namesBy(variableOf);

function namesBy(name: (path: string) => string): ReadonlyMap<string, KeyPath> {
  const names = new Map<string, KeyPath>();
  for (const path of KEY_PATHS) {
    names.set(name(path), path);
    const { alias } = KEYS[path];
    if (alias !== undefined) names.set(name(alias), path);
  }
  return names;
}

function kebab(path: string): string {
  return path
    .replace(/[A-Z]/g, (letter) => `-${letter}`)
    .replaceAll('.', '-')
    .toLowerCase();
}
