import workerThreads from 'node:worker_threads';
import zlib from 'node:zlib';
import { peerIdFromString } from '@libp2p/peer-id';
import { base36 } from 'multiformats/bases/base36';

const DOMAIN = 'libp2p.direct';

export interface AutoTlsOptions {
  /** A certificate for `*.<peer>.libp2p.direct`, PEM: the first one, and each that takes its place. Must not throw. */
  onCertificate: (certificate: { key: string; cert: string }) => void;
  /** The service that answers for the name, and the certificate authority; the public ones by default. */
  forgeEndpoint?: string;
  acmeDirectory?: string;
  /** Milliseconds of quiet after a change of addresses before a certificate is asked for; default 5,000. */
  delayMs?: number;
}

/**
 * Services that get a certificate from Let's Encrypt for a name that belongs to this peer id, over libp2p.direct. That
 * service dials the relay to see that it is there, at an address with a public IP in `advertise` that it can dial: TCP
 * does, a name does not. The certificate is for the HTTPS server's own port, so libp2p needs no listener for it. It
 * lies in the datastore and is renewed a day before it ends. Loaded only when asked for: it brings an ACME client.
 */
export async function autoTlsServices(options: AutoTlsOptions) {
  standInForNode22();
  const [{ autoTLS }, { keychain }, { http }] = await Promise.all([
    import('@ipshipyard/libp2p-auto-tls'),
    import('@libp2p/keychain'),
    import('@libp2p/http'),
  ]);
  return {
    keychain: keychain(),
    http: http(),
    autoTls: autoTLS({
      // The addresses are the operator's word; without autonat nobody else confirms them.
      autoConfirmAddress: true,
      ...(options.forgeEndpoint ? { forgeEndpoint: options.forgeEndpoint } : {}),
      ...(options.acmeDirectory ? { acmeDirectory: options.acmeDirectory } : {}),
      ...(options.delayMs === undefined ? {} : { provisionDelay: options.delayMs }),
    }),
  };
}

/**
 * undici 8, which @libp2p/http brings, takes two things of Node 22 for granted when it is loaded: zstd, which nobody
 * here asks for, and a mark on objects that nobody here sends to another thread.
 */
function standInForNode22(): void {
  const noZstd = () => {
    throw new Error('This version of Node has no zstd.');
  };
  for (const [module, name, value] of [
    [zlib, 'createZstdDecompress', noZstd],
    [workerThreads, 'markAsUncloneable', () => {}],
  ] as const)
    if (!(name in module)) Object.defineProperty(module, name, { configurable: true, value });
}

/** The name under which a relay with that certificate is reached: the address is part of it. */
export function autoTlsHost(peer: string, ip: string): string {
  const v6 = ip.includes(':');
  let label = ip.replaceAll(v6 ? ':' : '.', '-');
  // A label neither begins nor ends with a hyphen.
  if (label.startsWith('-')) label = `0${label}`;
  if (label.endsWith('-')) label = `${label}0`;
  return `${label}.${base36.encode(peerIdFromString(peer).toCID().bytes)}.${DOMAIN}`;
}
