import type { RelayConfig } from '../config/types.ts';
import type { Log } from '../watch/types.ts';
import type { KeyPair } from './certificate.ts';
import { PemFiles } from './pem-files.ts';
import { PushedCertificate } from './pushed-certificate.ts';
import type { TlsSource } from './source.ts';

/** Where the certificate comes from, and where a fetched one goes. */
export interface Tls {
  source: TlsSource;
  /** Takes a certificate that the swarm fetched; null where files give it. */
  push: ((pair: KeyPair) => boolean) | null;
}

/** Null for plain HTTP. @throws RelayError `bad-certificate` */
export async function openTls({ cert, key, auto }: RelayConfig['tls'], log: Log): Promise<Tls | null> {
  if (cert && key) return { source: await PemFiles.open({ cert, key, log }), push: null };
  if (!auto) return null;
  const source = new PushedCertificate(log);
  return { source, push: (pair) => source.update(pair) };
}
