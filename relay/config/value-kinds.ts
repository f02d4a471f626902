import { resolve } from 'node:path';
import { multiaddr } from '@multiformats/multiaddr';
import ipaddr from 'ipaddr.js';
import { CATALOGUE } from '../../src/model/index.ts';
import { type Kind, kind, whole } from './kinds.ts';
import type { DeviceWanted, LayersWanted } from './types.ts';

/** Longer than any path, URL or multiaddr that works somewhere. Characters. */
const MOST_CHARACTERS = 2048;
/** No model has more; a larger number is a slip of the finger. */
const MOST_LAYERS = 9999;

/** 0 picks a free one. */
export const port: Kind<number> = whole(0, 65535, 'a port', 'PORT');

export const hostName: Kind<string> = kind('ADDRESS', 'an IP address or a host name', (raw) => {
  const text = textOf(raw);
  if (text === undefined || text.length > 253) return;
  return ipaddr.isValid(text) || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text) ? text : undefined;
});

export const path: Kind<string> = kind('PATH', 'the path of a file or folder', (raw, base) => {
  const text = textOf(raw);
  return text === undefined ? undefined : resolve(base, text);
});

/** The service listens at the root of its host, so a URL has no path. */
export const origin: Kind<string> = kind(
  'URL',
  'an address such as https://shoal.example.org, without a path',
  (raw) => {
    const url = httpUrl(raw);
    const bare = url && url.pathname === '/' && !url.search && !url.hash && !url.username && !url.password;
    return bare ? url.href : undefined;
  },
);

export const model: Kind<string> = kind(
  'SOURCE',
  'a GGUF file, a folder, a URL or the id of a model in the catalogue',
  (raw, base) => {
    const text = textOf(raw);
    if (text === undefined || CATALOGUE.some(({ id }) => id === text)) return text;
    if (/^https?:/i.test(text)) return httpUrl(text) ? text : undefined;
    return resolve(base, text);
  },
);

export const address: Kind<string> = kind(
  'MULTIADDR',
  'a multiaddr such as /dns/shoal.example.org/tcp/4001',
  (raw) => {
    const text = textOf(raw);
    return text && isMultiaddr(text) ? text : undefined;
  },
);

export const relay: Kind<string> = kind(
  'RELAY',
  'the http(s) address of a relay, or a multiaddr that ends in /p2p/ and a peer id',
  (raw) => {
    const text = textOf(raw);
    if (text?.startsWith('/')) return isMultiaddr(text) && /\/p2p\/[^/]+$/.test(text) ? text : undefined;
    const reading = origin.read(text, '');
    return 'value' in reading ? reading.value : undefined;
  },
);

/** Half-open, as everywhere: 0-10 and 10-20 are neighbours. */
export const layers: Kind<LayersWanted> = kind(
  'auto|all|none|A-B',
  'auto, all, none, or two layers a-b with a below b, such as 5-20 for layers 5 to 19',
  (raw) => {
    if (raw === 'auto' || raw === 'all' || raw === 'none') return raw;
    const [, first, last] = /^(\d{1,6})-(\d{1,6})$/.exec(String(raw)) ?? [];
    const range = { start: Number(first), end: Number(last) };
    return range.start < range.end && range.end <= MOST_LAYERS ? range : undefined;
  },
  (value) => (typeof value === 'string' ? value : `${value.start}-${value.end}`),
);

export const device: Kind<DeviceWanted> = kind<DeviceWanted>(
  'DEVICE',
  'auto, cpu, cuda or one GPU by its number, as cuda:0',
  (raw) => {
    if (raw === 'auto' || raw === 'cpu' || raw === 'cuda') return raw;
    const [, number] = /^cuda:(\d{1,3})$/.exec(String(raw)) ?? [];
    return number === undefined ? undefined : `cuda:${Number(number)}`;
  },
);

export const proxy: Kind<string> = kind(
  'NETWORK',
  'an IP address, a network such as 10.0.0.0/8, or loopback',
  (raw) => {
    const text = textOf(raw);
    if (text === undefined || text === 'loopback') return text;
    return ipaddr.isValid(text) || ipaddr.isValidCIDR(text) ? text : undefined;
  },
);

/** Bytes; a bare number is refused, because nobody remembers whether it would be bytes or megabytes. */
export function size(least: string, most: string): Kind<number> {
  const [low, high] = [bytesOf(least)!, bytesOf(most)!];
  return kind(
    'SIZE',
    `a size from ${least} to ${most}, such as 512MB or 2GB`,
    (raw) => {
      const bytes = bytesOf(raw);
      return bytes !== undefined && bytes >= low && bytes <= high ? bytes : undefined;
    },
    showSize,
  );
}

function bytesOf(raw: unknown): number | undefined {
  const [, number, prefix = '', binary] =
    /^(\d{1,12}(?:\.\d{1,6})?) ?([kmgt]?)(i?)b$/i.exec(String(raw)) ?? [];
  const unit = (binary ? 1024 : 1000) ** ' kmgt'.indexOf(prefix.toLowerCase() || ' ');
  const bytes = Math.floor(Number(number) * unit);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function showSize(bytes: number): string {
  for (const [step, infix] of [
    [1024, 'i'],
    [1000, ''],
  ] as const) {
    for (let power = 4; power > 0; power--) {
      const unit = step ** power;
      if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${' KMGT'[power]}${infix}B`;
    }
  }
  return `${bytes}B`;
}

function textOf(raw: unknown): string | undefined {
  // Control characters never belong here, and would spoil the terminal that shows them.
  const usable = typeof raw === 'string' && raw.length > 0 && !/\p{Cc}/u.test(raw);
  return usable && raw.length <= MOST_CHARACTERS ? raw : undefined;
}

function httpUrl(raw: unknown): URL | undefined {
  const text = textOf(raw);
  if (text === undefined || !/^https?:\/\//i.test(text)) return;
  return URL.canParse(text) ? new URL(text) : undefined;
}

function isMultiaddr(text: string): boolean {
  try {
    return text.startsWith('/') && multiaddr(text).getComponents().length > 0;
  } catch {
    // Whatever is wrong with it, the message shows what a good one looks like.
    return false;
  }
}
