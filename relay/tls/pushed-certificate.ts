import { explain } from '../errors.ts';
import type { Log } from '../watch/types.ts';
import { type Certificate, checkCertificate, type KeyPair } from './certificate.ts';
import { CurrentCertificate, type TlsSource } from './source.ts';

/** A certificate that another room fetches and renews, such as the swarm's AutoTLS. */
export class PushedCertificate implements TlsSource {
  readonly plainHttp = 'serve';
  readonly #certificate = new CurrentCertificate();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Takes a new pair. One that cannot be used is told to the log, and the one before stays. Never throws. */
  update(pair: KeyPair): boolean {
    try {
      const certificate = checkCertificate(pair);
      this.#certificate.set(certificate);
      this.#log.info('There is a certificate.', described(certificate));
      return true;
    } catch (error) {
      this.#log.error(`A certificate was not taken. ${explain(error)}`);
      return false;
    }
  }

  current(): Certificate | null {
    return this.#certificate.get();
  }

  onChange(listener: (certificate: Certificate) => void): () => void {
    return this.#certificate.onChange(listener);
  }

  close(): void {
    this.#certificate.close();
  }
}

export function described({ names, until }: Certificate): { names: string; until: string } {
  return { names: names.join(' '), until: until.toISOString().slice(0, 10) };
}
