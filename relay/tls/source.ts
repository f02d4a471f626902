import type { Certificate } from './certificate.ts';

/** Where the server's certificate comes from. */
export interface TlsSource {
  /** Null until there is one. */
  current(): Certificate | null;
  /** Called with each certificate that takes the place of the one before. @returns how to stop that */
  onChange(listener: (certificate: Certificate) => void): () => void;
  /**
   * What becomes of plain HTTP on the same port once there is a certificate. `redirect`: the operator wants https.
   * `serve`: the certificate is for a name that only some know (AutoTLS), so http goes on beside it.
   */
  readonly plainHttp: 'redirect' | 'serve';
  close(): void;
}

/** The certificate that is in use now, and who wants to know when it changes. */
export class CurrentCertificate {
  #current: Certificate | null = null;
  readonly #listeners = new Set<(certificate: Certificate) => void>();

  get(): Certificate | null {
    return this.#current;
  }

  set(certificate: Certificate): void {
    this.#current = certificate;
    for (const listener of [...this.#listeners]) listener(certificate);
  }

  onChange(listener: (certificate: Certificate) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
  }
}
